// One class.
import type { Metadata } from 'next'
import { Class } from '#components/class/class.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../found.ts'
import { reader, visitor } from '../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.notFoundClass }
}

export default async function ClassPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  return <Class initial={await found(lab().classes.view(me, (await params).id))} />
}
