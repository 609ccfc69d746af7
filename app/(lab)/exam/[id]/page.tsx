// A drill while it runs. Hands over what is known now; the page asks again by itself.
import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { Drill } from '#components/exam/drill.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader } from '../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  const [{ locale }, drill] = await Promise.all([reader(), params.then(({ id }) => lab().drill(id))])
  return drill ? { title: drill.name[locale] } : {}
}

export default async function DrillPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params
  const [{ theme }, drill] = await Promise.all([reader(), lab().drill(id)])
  if (drill === null) notFound()
  if (drill.state === 'ended') redirect(`/exam/${id}/review`)
  return <Drill drill={drill} theme={theme} />
}
