// What is due for the reader.
import type { Metadata } from 'next'
import { Due } from '#components/class/due.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.assignments }
}

export default async function AssignmentsPage() {
  const { me } = await visitor()
  return <Due initial={await lab().classes.due(me)} />
}
