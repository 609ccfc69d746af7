// The audit log, for admins. Draws nothing itself.
import type { Metadata } from 'next'
import { messagesFor } from '#components/i18n/messages.ts'
import { AuditLog } from '#components/people/audit.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).account.audit }
}

export default async function AuditPage({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const { before } = await searchParams
  const { me } = await visitor('admin')
  const from = typeof before === 'string' ? before : undefined
  return <AuditLog view={await lab().audit(me, from)} older={from !== undefined} />
}
