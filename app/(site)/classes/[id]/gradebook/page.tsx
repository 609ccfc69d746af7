// The gradebook of a class.
import type { Metadata } from 'next'
import { Book } from '#components/class/book.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../../found.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.gradebook }
}

export default async function GradebookPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  return <Book initial={await found(lab().classes.gradebook(me, (await params).id))} />
}
