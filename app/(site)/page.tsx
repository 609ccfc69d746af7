// The catalogue. Reads cards, backends, the machine's state; draws nothing itself.
import type { Metadata } from 'next'
import { Catalogue } from '#components/catalogue/catalogue.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { reader, visitor } from '../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).catalogue.title }
}

export default async function CataloguePage() {
  const { me } = await visitor()
  const [cards, backends, setup] = await Promise.all([lab().catalogue(me), lab().backends(), lab().setup()])
  // The doctor takes a while and is only needed where nothing can start.
  const doctor = me.role !== 'admin' || backends.some((backend) => backend.state === 'ready') ? null : await lab().doctor()
  return <Catalogue cards={cards} backends={backends} setup={setup} doctor={doctor} />
}
