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
import { type ThemeChoice, themeCookie } from './theme.ts'

export type { ThemeChoice } from './theme.ts'

const year = 365 * 24 * 3600
export const keepCookie = (name: string, value: string) => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that can run the lab
  document.cookie = `${name}=${value}; path=/; max-age=${year}; samesite=lax`
}
const item = 'flex h-8 cursor-default items-center gap-2 rounded-sm pr-3 pl-2 text-[0.8125rem] outline-none data-[highlighted]:bg-hover'
const trigger = 'inline-flex size-8 items-center justify-center rounded-md text-text-2 hover:bg-hover hover:text-text'

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
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={trigger} aria-label={label} title={label}>
        {icon}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          aria-label={label}
          className="z-50 min-w-36 rounded-md border border-line bg-surface p-1 shadow-raised"
        >
          <DropdownMenu.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
            {choices.map((choice) => (
              <DropdownMenu.RadioItem key={choice.value} value={choice.value} lang={choice.lang} className={item}>
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
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
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
