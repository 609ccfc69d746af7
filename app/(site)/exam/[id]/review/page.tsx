// The review of a drill that has ended, with the reports of its tasks; one that runs is shown where it runs.
import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { Review } from '#components/exam/review.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import type { Report } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).exam.reviewTitle }
}

export default async function ReviewPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const { me } = await visitor()
  const drill = await lab().drill(me, id)
  if (drill === null) notFound()
  if (drill.state !== 'ended') redirect(`/exam/${id}`)
  const found = await Promise.all(drill.tasks.flatMap(({ session }) => (session === null ? [] : [lab().report(me, session)])))
  const reports: Record<string, Report> = Object.fromEntries(
    // What was typed and when is the report's own page's business.
    found.flatMap((report) => (report === null ? [] : [[report.sessionId, { ...report, timeline: [], recordings: [] }]])),
  )
  return <Review drill={drill} reports={reports} />
}
