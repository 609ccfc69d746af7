'use client'
// The reader's language and theme, kept in cookies so that the server draws the page right the first time.
// Knows the two cookies' names; knows nothing of what the pages show.
import { Check, Languages, Monitor, Moon, Sun } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { DropdownMenu } from 'radix-ui'
import { type ReactNode, useState } from 'react'
import type { Locale } from '#lib/protocol/index.ts'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { localeCookie } from '../i18n/messages.ts'
import { cx } from '../ui/cx.ts'
import { Menu, menuItem } from '../ui/menu.tsx'
import { type ThemeChoice, themeCookie } from './theme.ts'

export type { ThemeChoice } from './theme.ts'

const year = 365 * 24 * 3600
export const keepCookie = (name: string, value: string) => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that can run the lab
  document.cookie = `${name}=${value}; path=/; max-age=${year}; samesite=lax`
}

function Choice<T extends string>({
  label,
  icon,
  value,
  choices,
  onChange,
}: {
  label: string
  icon: ReactNode
  value: T
  choices: { value: T; label: string; lang?: string; icon?: ReactNode }[]
  onChange(value: T): void
}) {
  return (
    <Menu label={label} icon={icon} className="size-8" width="min-w-36">
      <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
        {choices.map((choice) => (
          <DropdownMenu.RadioItem key={choice.value} value={choice.value} lang={choice.lang} className={cx(menuItem, 'pr-3')}>
            <span className="size-4">
              <DropdownMenu.ItemIndicator>
                <Check aria-hidden className="size-4 text-accent" />
              </DropdownMenu.ItemIndicator>
            </span>
            {choice.icon}
            {choice.label}
          </DropdownMenu.RadioItem>
        ))}
      </DropdownMenu.RadioGroup>
    </Menu>
  )
}

export function Preferences({ theme }: { theme: ThemeChoice }) {
  const m = useMessages()
  const locale = useLocale()
  const router = useRouter()
  const [chosen, setChosen] = useState(theme)
  const icon = 'size-4'
  const themeIcon = {
    system: <Monitor aria-hidden className={icon} />,
    light: <Sun aria-hidden className={icon} />,
    dark: <Moon aria-hidden className={icon} />,
  }
  return (
    <div className="flex items-center">
      <Choice<Locale>
        label={m.nav.language}
        icon={<Languages aria-hidden className={icon} />}
        value={locale}
        choices={[
          { value: 'en', label: 'English', lang: 'en' },
          { value: 'ko', label: '한국어', lang: 'ko' },
        ]}
        onChange={(next) => {
          keepCookie(localeCookie, next)
          router.refresh()
        }}
      />
      <Choice<ThemeChoice>
        label={m.nav.theme}
        icon={themeIcon[chosen]}
        value={chosen}
        choices={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: m.nav.themes[value], icon: themeIcon[value] }))}
        onChange={(next) => {
          keepCookie(themeCookie, next)
          document.documentElement.dataset.theme = next
          setChosen(next)
        }}
      />
    </div>
  )
}
