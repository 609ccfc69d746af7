// What a class’s attempts say of each scenario.
import type { Metadata } from 'next'
import { Items } from '#components/class/book.tsx'
import { messagesFor } from '#components/i18n/messages.ts'
import { lab } from '#lib/server/handle.ts'
import { found } from '../../../../found.ts'
import { reader, visitor } from '../../../../reader.ts'

export const dynamic = 'force-dynamic'
export async function generateMetadata(): Promise<Metadata> {
  return { title: messagesFor((await reader()).locale).class.items }
}

export default async function ItemsPage({ params }: { params: Promise<{ id: string }> }) {
  const { me } = await visitor('instructor')
  return <Items view={await found(lab().classes.items(me, (await params).id))} />
}
