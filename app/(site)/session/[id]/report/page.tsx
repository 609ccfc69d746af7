// A finished session's report, or where to go while there is none.
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { messagesFor } from '#components/i18n/messages.ts'
import { ReportMissing, ReportView } from '#components/report/report.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).report.title }
}

export default async function ReportPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const { me } = await visitor()
  const report = await lab().report(me, id)
  if (report) return <ReportView report={report} />
  const session = await lab().session(me, id)
  if (session === null) notFound()
  return <ReportMissing session={session} />
}
