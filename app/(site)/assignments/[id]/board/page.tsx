// The live board of an assignment.
import type { Metadata } from 'next'
import { Board } from '#components/class/board.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../../found.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.board }
}

export default async function BoardPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  return <Board initial={await found(lab().classes.board(me, (await params).id))} />
}
