// Drills: what can be begun, what runs, what was. Draws nothing itself.
import type { Metadata } from 'next'
import { Exam } from '#components/exam/exam.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { backendName } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).exam.title }
}

export default async function ExamPage({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const asked = backendName.safeParse((await searchParams).backend)
  const { me } = await visitor()
  const exam = await lab().exam(me, asked.success ? asked.data : undefined)
  // Drawn anew for another backend, with nothing kept of the choice before.
  return <Exam key={exam.backend ?? ''} exam={exam} />
}
