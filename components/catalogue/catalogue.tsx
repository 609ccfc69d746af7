'use client'
// The catalogue: search and filters, the machine's state where nothing can start, scenarios by domain.
// Knows the cards; knows nothing of how a session is made beyond asking for one.
import { ArrowRight, Play, Search, X } from 'lucide-react'
import Link from 'next/link'
import { useSearchParams } from 'next/navigation'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { type BackendView, type DoctorReport, domain, examWeights, type ScenarioCard, type SetupView } from '#lib/protocol/index.ts'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { MachineNotice } from '../machine/machine.tsx'
import { Banner, Empty } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Badge } from '../ui/state.tsx'
import { type Filter, fromQuery, isFiltered, isOffered, isSolved, nextFor, noFilter, select, toQuery } from './filter.ts'
import { StartButton } from './start.tsx'
import { Trust } from './trust.tsx'

/** With fewer there is nothing to recommend: they are all in view. */
const fewCards = 6

export function Catalogue({
  cards,
  backends,
  setup,
  doctor,
}: {
  cards: ScenarioCard[]
  backends: BackendView[]
  setup: SetupView
  doctor: DoctorReport | null
}) {
  const m = useMessages()
  const locale = useLocale()
  const text = useText()
  const query = useSearchParams()
  const [filter, setFilter] = useState<Filter>(() => fromQuery(query))
  useEffect(() => {
    const search = toQuery(filter)
    window.history.replaceState(null, '', search ? `?${search}` : window.location.pathname)
  }, [filter])
  const groups = useMemo(() => select(cards, filter, locale), [cards, filter, locale])
  const found = groups.reduce((sum, group) => sum + group.cards.length, 0)
  const ready = backends.some((backend) => backend.state === 'ready')
  const change = (part: Partial<Filter>) => setFilter((now) => ({ ...now, ...part }))
  const next = useMemo(() => nextFor(cards, locale), [cards, locale])
  const running = cards.filter((card) => card.running !== null)

  return (
    <>
      <div className="pt-8 pb-6">
        <h1 className="text-2xl font-semibold tracking-tight">{m.catalogue.title}</h1>
        <p className="mt-1 max-w-[70ch] text-text-2">{m.catalogue.lead}</p>
      </div>

      {ready ? null : <MachineNotice backends={backends} setup={setup} doctor={doctor} />}

      {running.map((card) => (
        <div key={card.id} className="mb-4 overflow-hidden rounded-lg">
          <Banner
            tone="accent"
            icon="holding"
            title={m.catalogue.runningTitle}
            action={
              <Link
                href={`/session/${card.running}`}
                className={buttonClass('primary')}
                aria-label={m.catalogue.resumeNamed(text(card.title))}
              >
                {m.catalogue.resume}
                <ArrowRight aria-hidden className="size-4" />
              </Link>
            }
          >
            {text(card.title)}
          </Banner>
        </div>
      ))}

      {cards.length >= fewCards && next !== null && running.length === 0 && ready && !isFiltered(filter) ? (
        <section aria-labelledby="next" className="mb-6 overflow-hidden rounded-lg border border-line bg-surface">
          <h2 id="next" className="flex flex-wrap items-baseline gap-x-2 px-4 pt-3 text-[0.8125rem] font-semibold text-text-2">
            {m.catalogue.next}
            <span className="font-normal text-text-3">{m.catalogue.nextWhy(m.domain[next.domain])}</span>
          </h2>
          <ul>
            <Row card={next} backends={backends} />
          </ul>
        </section>
      ) : null}

      {cards.length === 0 ? (
        <Empty title={m.catalogue.empty}>{m.catalogue.emptyHint}</Empty>
      ) : (
        <>
          <search className="flex flex-wrap items-end gap-2 border-b border-line pb-3">
            <label className="relative min-w-52 flex-1">
              <span className="sr-only">{m.catalogue.search}</span>
              <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-text-3" />
              <input
                type="search"
                value={filter.query}
                onChange={(event) => change({ query: event.target.value })}
                placeholder={m.catalogue.search}
                className="h-8 w-full rounded-md border border-line-strong/60 bg-surface pr-3 pl-8 placeholder:text-text-3"
              />
            </label>
            <Pick
              label={m.catalogue.domain}
              value={filter.domain}
              onChange={(value) => change({ domain: value })}
              options={domain.options.filter((name) => cards.some((card) => card.domain === name)).map((name) => [name, m.domain[name]])}
            />
            <Pick
              label={m.catalogue.difficulty}
              value={filter.difficulty}
              onChange={(value) => change({ difficulty: value })}
              options={(['easy', 'medium', 'hard'] as const).map((name) => [name, m.difficulty[name]])}
            />
            <Pick
              label={m.catalogue.minutes}
              value={filter.minutes === null ? null : String(filter.minutes)}
              onChange={(value) => change({ minutes: value === null ? null : Number(value) })}
              options={['10', '15', '20', '30'].map((n) => [n, m.catalogue.upTo(Number(n))])}
            />
            <Pick
              label={m.catalogue.state}
              value={filter.progress}
              onChange={(value) => change({ progress: value })}
              options={(['todo', 'solved', 'running'] as const).map((name) => [name, m.catalogue.states[name]])}
            />
            {backends.length > 1 ? (
              <Pick
                label={m.catalogue.backend}
                value={filter.backend}
                onChange={(value) => change({ backend: value })}
                options={backends.map(({ name }) => [name, m.backend[name]])}
              />
            ) : null}
            {isFiltered(filter) ? (
              <Button weight="quiet" onClick={() => setFilter(noFilter)}>
                <X aria-hidden className="size-4" />
                {m.catalogue.clear}
              </Button>
            ) : null}
            <p role="status" className="ml-auto self-center text-xs text-text-2 tabular-nums">
              {m.catalogue.found(found)}
            </p>
          </search>

          {found === 0 ? (
            <Empty title={m.catalogue.nothing} action={<Button onClick={() => setFilter(noFilter)}>{m.catalogue.clear}</Button>}>
              {m.catalogue.nothingHint}
            </Empty>
          ) : (
            groups.map((group) => (
              <section key={group.domain} aria-labelledby={`domain-${group.domain}`} className="mt-7">
                <h2 id={`domain-${group.domain}`} className="flex items-baseline gap-2 text-[0.8125rem] font-semibold text-text-2">
                  {m.domain[group.domain]}
                  <span className="font-normal text-text-3 tabular-nums">
                    {m.catalogue.share(examWeights[group.domain])} ·{' '}
                    {m.catalogue.solvedOf(group.cards.filter(isSolved).length, group.cards.filter(isOffered).length)}
                  </span>
                </h2>
                <ul className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
                  {group.cards.map((card) => (
                    <Row key={card.id} card={card} backends={backends} />
                  ))}
                </ul>
              </section>
            ))
          )}
        </>
      )}
    </>
  )
}

function Pick<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string
  value: T | null
  options: readonly (readonly [T, string])[]
  onChange(value: T | null): void
}) {
  const m = useMessages()
  return (
    <label className="flex items-center">
      <span className="sr-only">{label}</span>
      <select
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? null : (event.target.value as T))}
        className={cx(
          'h-8 rounded-md border bg-surface pr-1 pl-2 text-[0.8125rem]',
          value === null ? 'border-line-strong/60 text-text-2' : 'border-accent font-medium text-accent',
        )}
      >
        <option value="">
          {label}: {m.catalogue.any}
        </option>
        {options.map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

const Fact = ({ children }: { children: ReactNode }) => <span className="whitespace-nowrap">{children}</span>

function Row({ card, backends }: { card: ScenarioCard; backends: BackendView[] }) {
  const m = useMessages()
  const text = useText()
  const solved = isSolved(card)
  const offered = card.backends.filter((backend) => backend.offered)
  return (
    <li className="grid gap-x-6 gap-y-3 border-line px-4 py-3.5 not-first:border-t sm:grid-cols-[minmax(0,1fr)_auto] sm:items-center">
      <div className="min-w-0">
        <h3 className="font-semibold text-balance">{text(card.title)}</h3>
        <p className="mt-0.5 max-w-[75ch] text-text-2">{text(card.summary)}</p>
        <p className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-text-2">
          {card.kind === 'incident' ? null : <Fact>{m.kind[card.kind]}</Fact>}
          <Fact>{m.difficulty[card.difficulty]}</Fact>
          <Fact>{m.catalogue.min(card.minutes)}</Fact>
          <Fact>{m.catalogue.nodes(card.nodes)}</Fact>
          <Fact>{m.catalogue.weight(card.weight)}</Fact>
          {offered.length === 0
            ? null
            : card.backends.map((backend) => <Trust key={backend.name} backend={backend} named={card.backends.length > 1} />)}
        </p>
        {offered.length === 0
          ? [...new Set(card.backends.flatMap(({ reason }) => (reason ? [text(reason)] : [])))].map((reason) => (
              <p key={reason} className="mt-1.5 text-xs text-text-2">
                {reason}
              </p>
            ))
          : null}
      </div>
      <div className="flex items-center justify-between gap-4 sm:justify-end">
        <div className="text-xs sm:text-right">
          {solved ? (
            <Badge tone="ok" icon="ok">
              {m.catalogue.solved}
            </Badge>
          ) : card.bestScore !== null ? (
            <span className="font-medium tabular-nums">{m.catalogue.best(card.bestScore)}</span>
          ) : offered.length === 0 ? null : (
            <span className="text-text-3">{card.attempts === 0 ? m.catalogue.untried : m.report.noScore}</span>
          )}
          {card.attempts > 0 ? <p className="mt-0.5 text-text-3 tabular-nums">{m.catalogue.attempts(card.attempts)}</p> : null}
        </div>
        {card.running ? (
          <Link
            href={`/session/${card.running}`}
            className={cx(buttonClass('primary'), 'min-w-24')}
            aria-label={m.catalogue.resumeNamed(text(card.title))}
          >
            {m.catalogue.resume}
            <ArrowRight aria-hidden className="size-4" />
          </Link>
        ) : offered.length === 0 && card.backends.length > 0 ? (
          <Badge tone="idle" icon="waiting">
            {m.catalogue.planned}
          </Badge>
        ) : (
          <StartButton card={card} backends={backends} className="min-w-24">
            <Play aria-hidden className="size-3.5 fill-current text-accent group-disabled:text-text-3" />
            {m.catalogue.start}
          </StartButton>
        )}
      </div>
    </li>
  )
}
