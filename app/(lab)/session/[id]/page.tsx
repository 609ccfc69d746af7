// The lab itself. Hands over what is known now; the page's socket takes it from there.
import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { Lab } from '#components/session/lab.tsx'
import { lab } from '#lib/server/handle.ts'
import { visitor } from '../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  const [{ locale, me }, { id }] = await Promise.all([visitor(), params])
  const session = await lab().session(me, id)
  return session ? { title: session.scenario.title[locale] } : {}
}

export default async function SessionPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const { me, theme } = await visitor()
  const session = await lab().session(me, id)
  if (session === null) notFound()
  // A task is worked on where its drill's clock is seen.
  if (session.drill !== undefined && (session.state !== 'ended' || (await lab().report(me, id)) === null))
    redirect(`/exam/${session.drill}`)
  return <Lab id={id} session={session} theme={theme} />
}
