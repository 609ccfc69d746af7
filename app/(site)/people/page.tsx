// Everybody who has an account, for admins. Draws nothing itself.
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { messagesFor } from '#components/i18n/messages.ts'
import { People } from '#components/people/people.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).account.people }
}

export default async function PeoplePage() {
  const { me } = await visitor('admin')
  const view = await lab().people(me)
  if (view === null) notFound()
  return <People me={me.id} view={view} />
}
