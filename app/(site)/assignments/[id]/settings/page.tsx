// What is set, to be changed.
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { Assign } from '#components/class/assign.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../../found.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.change }
}

export default async function AssignmentSettingsPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  const now = await found(lab().classes.assignment(me, (await params).id))
  if (now.deletedAt !== null) notFound()
  const [of, cards, exam] = await Promise.all([lab().classes.view(me, now.classId), lab().catalogue(me), lab().exam(me)])
  const preset = (name: string) => exam.presets.find((one) => one.preset === name)!.blueprint
  return <Assign of={of} cards={cards} drills={{ mini: preset('mini'), cka: preset('cka') }} opens={now.settings.opens} now={now} />
}
