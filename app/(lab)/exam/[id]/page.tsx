// A drill while it runs. Hands over what is known now; the page asks again by itself.
import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { Drill } from '#components/exam/drill.tsx'
import { lab } from '#lib/server/handle.ts'
import { visitor } from '../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  const [{ locale, me }, { id }] = await Promise.all([visitor(), params])
  const drill = await lab().drill(me, id)
  return drill ? { title: drill.name[locale] } : {}
}

export default async function DrillPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const { me, theme } = await visitor()
  const drill = await lab().drill(me, id)
  if (drill === null) notFound()
  if (drill.state === 'ended') redirect(`/exam/${id}/review`)
  return <Drill drill={drill} theme={theme} />
}
