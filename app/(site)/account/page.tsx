// One's own account. Draws nothing itself.
import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { messagesFor } from '#components/i18n/messages.ts'
import { Account } from '#components/people/account.tsx'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).account.title }
}

export default async function AccountPage() {
  const { me } = await visitor()
  const [account, tokens] = await Promise.all([lab().account(me), lab().tokens(me)])
  if (account === null) notFound()
  return <Account account={account} tokens={tokens} />
}
