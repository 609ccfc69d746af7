'use client'
// Markdown that scenarios bring: headings, lists, tables, code with a copy button. Raw HTML is not rendered.
// Knows nothing of scenarios.
import { Check, Copy } from 'lucide-react'
import { type ComponentPropsWithoutRef, createContext, isValidElement, memo, type ReactNode, useContext, useEffect, useState } from 'react'
import ReactMarkdown from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { useMessages } from '../i18n/index.tsx'
import { cx } from './cx.ts'

const textOf = (node: ReactNode): string => {
  if (typeof node === 'string' || typeof node === 'number') return String(node)
  if (Array.isArray(node)) return node.map(textOf).join('')
  if (isValidElement<{ children?: ReactNode }>(node)) return textOf(node.props.children)
  return ''
}

/** Writes `text` to the clipboard, also where the page is not served securely. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}

export function CopyButton({ text, className }: { text: string; className?: string }) {
  const m = useMessages()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <button
      type="button"
      aria-label={copied ? m.common.copied : m.common.copy}
      title={copied ? m.common.copied : m.common.copy}
      onClick={() =>
        void copyText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }
      className={cx(
        'inline-flex size-6 items-center justify-center rounded-sm text-text-3 hover:bg-hover hover:text-text',
        copied && 'text-ok',
        className,
      )}
    >
      {copied ? <Check aria-hidden className="size-3.5" /> : <Copy aria-hidden className="size-3.5" />}
    </button>
  )
}

/** A block of code in its own scroller, with a copy button. */
export function CodeBlock({ code, className }: { code: string; className?: string }) {
  return (
    <div className={cx('group relative rounded-md bg-sunken', className)}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} className="overflow-x-auto py-2 pr-9 pl-3 text-[0.8125rem] leading-5">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} className="absolute top-1 right-1 bg-sunken" />
    </div>
  )
}

function Pre({ children }: ComponentPropsWithoutRef<'pre'>) {
  return <CodeBlock code={textOf(children).replace(/\n$/, '')} />
}
const Links = createContext<(address: string) => boolean>(() => true)
/** Within it only these addresses are links; the words of others stay, as words. */
export const LinksAllowed = Links.Provider

function Anchor({ href, children }: ComponentPropsWithoutRef<'a'>) {
  const allowed = useContext(Links)
  if (href === undefined || !allowed(href)) return children
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  )
}
const parts = { pre: Pre, a: Anchor }
const plugins = [remarkGfm]

export const Markdown = memo(function Markdown({ children, className }: { children: string; className?: string }) {
  return (
    <div className={cx('prose', className)}>
      <ReactMarkdown remarkPlugins={plugins} components={parts}>
        {children}
      </ReactMarkdown>
    </div>
  )
})
