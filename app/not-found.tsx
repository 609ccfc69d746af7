// What a wrong address shows.
import { Wrong } from '#components/chrome/wrong.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { reader } from './reader.ts'

export default async function NotFound() {
  const { locale } = await reader()
  const { error } = messagesFor(locale)
  return <Wrong title={error.notFoundTitle} lead={error.notFoundLead} code="404" />
}
