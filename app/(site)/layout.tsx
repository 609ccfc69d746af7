// Pages under the common header. Asks the lab how far the reader has come.
import type { ReactNode } from 'react'
import { isOffered, isSolved } from '#components/catalogue/filter.ts'
import { Header } from '#components/chrome/header.tsx'
import { isAtLeast } from '#lib/protocol/index.ts'
import { lab } from '#lib/server/handle.ts'
import { visitor } from '../reader.ts'

export default async function SiteLayout({ children }: { children: ReactNode }) {
  const { me, theme } = await visitor()
  const cards = await lab().catalogue(me)
  return (
    <>
      <Header
        theme={theme}
        me={lab().doors.accounts ? me : null}
        admin={isAtLeast(me.role, 'admin')}
        classes={lab().doors.accounts ? (isAtLeast(me.role, 'instructor') ? 'teaches' : 'learns') : null}
        solved={cards.filter(isSolved).length}
        total={cards.filter(isOffered).length}
      />
      <main id="main" tabIndex={-1} className="mx-auto max-w-6xl px-4 pb-16 outline-none">
        {children}
      </main>
    </>
  )
}
