// The classes that the reader teaches.
import type { Metadata } from 'next'
import { Classes } from '#components/class/classes.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.classes }
}

export default async function ClassesPage() {
  const { me } = await visitor('instructor')
  await lab().classes.bind(me)
  return <Classes classes={await lab().classes.list(me)} />
}
