// A grade, for whose it is and who teaches them; while it is closed to its learner, the page that says when it opens.
import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { Grade } from '#components/class/grade.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { asLabError, isAtLeast } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../found.ts'
import { reader, visitor } from '../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.result }
}

export default async function GradePage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor()
  const grade = await found(lab().classes.grade(me, (await params).id)).catch((thrown: unknown) => {
    if (asLabError(thrown).code === 'forbidden') redirect('/assignments')
    throw thrown
  })
  return <Grade initial={grade} teaches={isAtLeast(me.role, 'instructor')} />
}
