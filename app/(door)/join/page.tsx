// An invitation is accepted. Its token stands behind the address's #, so that this page is drawn without it.
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { messagesFor } from '#components/i18n/messages.ts'
import { Join } from '#components/people/join.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).account.join }
}

export default async function JoinPage() {
  if (!lab().doors.accounts) notFound()
  const { theme } = await reader()
  return <Join theme={theme} />
}
