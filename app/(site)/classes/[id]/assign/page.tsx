// A new assignment.
import type { Metadata } from 'next'
import { Assign } from '#components/class/assign.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../../found.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.newAssignment }
}

export default async function AssignPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  const of = await found(lab().classes.view(me, (await params).id))
  const [cards, exam] = await Promise.all([lab().catalogue(me), lab().exam(me)])
  const preset = (name: string) => exam.presets.find((one) => one.preset === name)!.blueprint
  return <Assign of={of} cards={cards} drills={{ mini: preset('mini'), cka: preset('cka') }} opens={lab().classes.localNow(of.zone)} />
}
