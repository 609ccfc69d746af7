// The machine: what the labs need of it and what is there. Draws nothing itself.
import type { Metadata } from 'next'
import { messagesFor } from '#components/i18n/messages.ts'
import { Machine } from '#components/machine/machine.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).machine.title }
}

export default async function MachinePage() {
  await visitor('admin')
  const [backends, setup, doctor] = await Promise.all([lab().backends(), lab().setup(), lab().doctor()])
  return <Machine backends={backends} setup={setup} doctor={doctor} />
}
