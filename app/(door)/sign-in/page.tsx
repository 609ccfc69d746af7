// Signing in. Whoever is signed in already goes on.
import type { Metadata } from 'next'
import { redirect } from 'next/navigation'
import { messagesFor } from '#components/i18n/messages.ts'
import { SignIn } from '#components/people/sign-in.tsx'
import { hereOnly } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'
import { identified, reader } from '../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).account.signIn }
}

export default async function SignInPage({ searchParams }: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const { error, to } = await searchParams
  const on = hereOnly(typeof to === 'string' ? to : null)
  const [{ theme }, me] = await Promise.all([reader(), identified()])
  if (me !== null) redirect(on)
  return <SignIn to={on} provider={lab().doors.provider} refused={typeof error === 'string' ? error : null} theme={theme} />
}
