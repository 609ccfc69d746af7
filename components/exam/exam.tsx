'use client'
// The drills' page: what can be begun and what it would contain, the one that runs, those that were and how they went.
// Knows the exam's view; asks the server to draw again when the seed or the backend is another.
import { ArrowRight } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import {
  type Blueprint,
  type DrillPreview,
  type DrillProgress,
  type DrillSummary,
  drillPreview,
  drillSeed,
  type ExamView,
  type SessionMode,
} from '#lib/protocol/index.ts'
import { request } from '../api.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages, useText } from '../i18n/index.tsx'
import { useKept } from '../session/kept.ts'
import { Banner, Empty } from '../ui/banner.tsx'
import { Button, buttonClass } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Fact } from '../ui/fact.tsx'
import { Badge } from '../ui/state.tsx'
import { dateOf, duration } from '../ui/time.ts'
import { OwnData } from './data.tsx'
import { Notices } from './notices.tsx'
import { Bar } from './review.tsx'
import { StartDrill } from './start.tsx'
import { digits } from './words.ts'

type Preset = ExamView['presets'][number]
const keyOf = (preset: Preset): string => `${preset.preset}-${preset.domain ?? ''}`

export function Exam({ exam }: { exam: ExamView }) {
  const m = useMessages()
  const text = useText()
  const { running } = exam
  return (
    <>
      <div className="pt-8 pb-6">
        <h1 className="text-2xl font-semibold tracking-tight">{m.exam.title}</h1>
        <p className="mt-1 max-w-[70ch] text-text-2">{m.exam.lead}</p>
      </div>
      {running ? (
        <div className="mb-6 overflow-hidden rounded-lg">
          <Banner
            tone="accent"
            icon="holding"
            title={m.exam.running}
            action={
              <Link href={`/exam/${running.id}`} className={buttonClass('primary')}>
                {m.exam.resume}
                <ArrowRight aria-hidden className="size-4" />
              </Link>
            }
          >
            {text(running.name)}
          </Banner>
        </div>
      ) : null}
      {exam.presets.some((preset) => preset.preview !== null) ? (
        <Choose exam={exam} />
      ) : (
        <Empty
          title={m.exam.none}
          action={
            <Link href="/machine" className={buttonClass('normal')}>
              {m.nav.machine}
            </Link>
          }
        >
          {m.exam.noneHint}
        </Empty>
      )}
      <History history={exam.history} progress={exam.progress} />
      <OwnData />
    </>
  )
}

function Choose({ exam }: { exam: ExamView }) {
  const m = useMessages()
  const text = useText()
  const router = useRouter()
  const plain = exam.presets.filter((preset) => preset.preset !== 'domain')
  const domains = exam.presets.filter((preset) => preset.preset === 'domain')
  const [chosen, setChosen] = useState(() => keyOf(exam.presets.find((preset) => preset.preset === 'mini') ?? exam.presets[0]!))
  const [mode, setMode] = useState<SessionMode>('exam')
  /** drawn by another seed than the one that was proposed */
  const [drawn, setDrawn] = useState<{ key: string; seed: string; preview: DrillPreview } | null>(null)
  const [seed, setSeed] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [keys, setKeys] = useKept('exam.keys', 0, 0, 1)
  const preset = exam.presets.find((one) => keyOf(one) === chosen) ?? exam.presets[0]!
  const redrawn = drawn?.key === chosen ? drawn : null
  const blueprint: Blueprint = { ...preset.blueprint, mode, seed: redrawn?.seed ?? preset.blueprint.seed }
  const preview = redrawn?.preview ?? preset.preview
  const typed = seed ?? blueprint.seed
  const pick = (key: string) => {
    setChosen(key)
    setSeed(null)
    setError(null)
  }
  const redraw = () => {
    setError(null)
    request('/api/exam/preview', drillPreview, {
      method: 'POST',
      body: { blueprint: { ...blueprint, seed: typed }, ...(exam.backend === null ? {} : { backend: exam.backend }) },
    }).then((found) => setDrawn({ key: chosen, seed: typed, preview: found }), setError)
  }
  const option = 'flex items-start gap-2 rounded-md border border-line px-3 py-2 has-checked:border-accent has-checked:bg-accent-tint'
  return (
    <section aria-labelledby="choose" className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,22rem)_minmax(0,1fr)]">
      <div className="space-y-6">
        <fieldset>
          <legend id="choose" className="text-base font-semibold">
            {m.exam.choose}
          </legend>
          <div className="mt-2 space-y-1.5">
            {plain.map((one) => (
              <label key={keyOf(one)} className={option}>
                <input
                  type="radio"
                  name="preset"
                  className="mt-1 accent-accent"
                  checked={chosen === keyOf(one)}
                  onChange={() => pick(keyOf(one))}
                />
                <span>
                  <span className="font-medium">{m.exam.preset[one.preset]}</span>
                  <span className="block text-xs text-text-2">{m.exam.presetLead[one.preset]}</span>
                </span>
              </label>
            ))}
            <div
              className={cx(
                'flex items-start gap-2 rounded-md border px-3 py-2',
                preset.preset === 'domain' ? 'border-accent bg-accent-tint' : 'border-line',
              )}
            >
              <input
                type="radio"
                name="preset"
                id="preset-domain"
                className="mt-1 accent-accent"
                checked={preset.preset === 'domain'}
                onChange={() => domains[0] && pick(keyOf(domains[0]))}
              />
              <div className="min-w-0 flex-1">
                <label htmlFor="preset-domain">
                  <span className="font-medium">{m.exam.preset.domain}</span>
                  <span className="block text-xs text-text-2">{m.exam.presetLead.domain}</span>
                </label>
                <select
                  aria-label={m.exam.domainPick}
                  value={preset.preset === 'domain' ? chosen : ''}
                  onChange={(event) => event.target.value !== '' && pick(event.target.value)}
                  className="mt-1.5 h-8 w-full rounded-md border border-line-strong/60 bg-surface px-1 text-[0.8125rem]"
                >
                  {preset.preset === 'domain' ? null : <option value="">{m.exam.domainPick}</option>}
                  {domains.map((one) => (
                    <option key={keyOf(one)} value={keyOf(one)}>
                      {one.domain ? m.domain[one.domain] : ''}
                      {one.preview === null ? ` (${m.exam.missing})` : ''}
                    </option>
                  ))}
                </select>
              </div>
            </div>
          </div>
        </fieldset>
        <fieldset>
          <legend className="text-[0.8125rem] font-semibold text-text-2">{m.exam.mode}</legend>
          <div className="mt-2 space-y-1.5">
            {(['exam', 'practice', 'mastery'] as const).map((one) => (
              <label key={one} className={option}>
                <input type="radio" name="mode" className="mt-1 accent-accent" checked={mode === one} onChange={() => setMode(one)} />
                <span>
                  <span className="font-medium">{m.exam.modes[one]}</span>
                  <span className="block text-xs text-text-2">{m.exam.modeLead[one]}</span>
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        <label className="flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1 accent-accent"
            checked={keys === 1}
            onChange={(event) => setKeys(event.target.checked ? 1 : 0)}
          />
          <span>
            <span className="font-medium">{m.exam.keys}</span>
            <span className="block text-xs text-text-2">{m.exam.keysLead}</span>
          </span>
        </label>
      </div>
      <div className="min-w-0">
        {preview === null ? (
          <Empty title={m.exam.none}>{preset.unavailable ? text(preset.unavailable) : m.exam.noneHint}</Empty>
        ) : (
          <>
            <h2 className="text-lg font-semibold text-balance">{text(preview.name)}</h2>
            <p className="mt-0.5 text-text-2 tabular-nums">
              {mode === 'mastery' ? m.exam.sizeFree(preview.tasks) : m.exam.size(preview.tasks, blueprint.minutes)} ·{' '}
              {m.exam.pass(blueprint.passMark)}
            </p>
            <Notices drill={preview} tone="warn" />
            <Contents preview={preview} />
            <div className="mt-5 flex flex-wrap items-end gap-x-4 gap-y-3">
              <label className="text-xs text-text-2">
                {m.exam.seed}
                <input
                  value={typed}
                  maxLength={32}
                  spellCheck={false}
                  autoComplete="off"
                  aria-describedby="seed-lead"
                  onChange={(event) => setSeed(event.target.value)}
                  className="mt-1 block h-8 w-44 rounded-md border border-line-strong/60 bg-surface px-2 font-mono text-[0.8125rem] text-text"
                />
              </label>
              <Button disabled={typed === blueprint.seed || !drillSeed.safeParse(typed).success} onClick={redraw}>
                {m.exam.redraw}
              </Button>
              {exam.backends.length > 1 ? (
                <label className="text-xs text-text-2">
                  {m.exam.backend}
                  <select
                    value={exam.backend ?? ''}
                    onChange={(event) => router.push(`/exam?backend=${event.target.value}`)}
                    className="mt-1 block h-8 rounded-md border border-line-strong/60 bg-surface px-1 text-[0.8125rem] text-text"
                  >
                    {exam.backends.map((one) => (
                      <option key={one.name} value={one.name}>
                        {m.backend[one.name]}
                        {one.state === 'ready' ? '' : ` (${m.machine.backendState[one.state]})`}
                      </option>
                    ))}
                  </select>
                </label>
              ) : null}
            </div>
            <p id="seed-lead" className="mt-1 text-xs text-text-3">
              {m.exam.seedLead}
            </p>
            {error === null ? null : (
              <div className="mt-3 overflow-hidden rounded-md">
                <Failure error={error} />
              </div>
            )}
            <div className="mt-5">
              <StartDrill
                blueprint={blueprint}
                backend={exam.backend}
                label={m.exam.start}
                disabled={exam.running !== null || typed !== blueprint.seed}
              />
            </div>
          </>
        )}
      </div>
    </section>
  )
}

function Contents({ preview }: { preview: DrillPreview }) {
  const m = useMessages()
  const head = 'px-2 sm:px-3 py-1.5 text-left text-xs font-medium text-text-2'
  const cell = 'px-2 sm:px-3 py-1.5 whitespace-nowrap tabular-nums'
  return (
    <div className="mt-4 overflow-x-auto rounded-lg border border-line bg-surface">
      <table className="w-full border-collapse">
        <caption className="sr-only">{m.exam.contains}</caption>
        <thead>
          <tr className="border-b border-line">
            <th scope="col" className={head}>
              {m.exam.domainPick}
            </th>
            <th scope="col" className={cx(head, 'text-right')}>
              {m.exam.share}
            </th>
            <th scope="col" className={cx(head, 'text-right')}>
              {m.exam.tasks}
            </th>
            <th scope="col" className={cx(head, 'text-right')}>
              {m.exam.offered}
            </th>
          </tr>
        </thead>
        <tbody>
          {preview.domains.map((one) => (
            <tr key={one.domain} className="border-line not-first:border-t">
              <th scope="row" className="px-2 py-1.5 text-left font-normal sm:px-3">
                {m.domain[one.domain]}
              </th>
              <td className={cx(cell, 'text-right')}>{m.exam.weight(digits(one.share))}</td>
              <td className={cx(cell, 'text-right')}>{one.tasks}</td>
              <td className={cx(cell, 'text-right')}>
                {one.offered > 0 ? (
                  one.offered
                ) : (
                  <Badge tone="warn" icon="warn">
                    {m.exam.missing}
                  </Badge>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function History({ history, progress }: { history: DrillSummary[]; progress: DrillProgress }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const percent = (value: number | null) => (value === null ? '–' : m.exam.weight(digits(value)))
  return (
    <section aria-labelledby="history" className="mt-12">
      <h2 id="history" className="text-base font-semibold">
        {m.exam.history}
      </h2>
      {history.length === 0 ? (
        <p className="mt-1 text-text-2">{m.exam.noHistory}</p>
      ) : (
        <>
          {progress.attempts > 0 ? (
            <>
              <dl className="mt-2 flex flex-wrap gap-x-8 gap-y-2 border-y border-line py-3 text-[0.8125rem]">
                <Fact name={m.exam.attempts}>{m.exam.passedCount(progress.passed, progress.attempts)}</Fact>
                <Fact name={m.exam.best}>{percent(progress.best)}</Fact>
                <Fact name={m.exam.median}>{percent(progress.median)}</Fact>
                {progress.taskMs === null ? null : <Fact name={m.exam.taskTime}>{duration(progress.taskMs, locale)}</Fact>}
                {progress.pace === null ? null : (
                  <Fact name={m.exam.pace}>
                    <span title={m.exam.paceLead}>{m.exam.paceOf(progress.pace)}</span>
                  </Fact>
                )}
              </dl>
              <Trend history={history} />
              <ul aria-label={m.exam.byDomain} className="mt-3 overflow-hidden rounded-lg border border-line bg-surface">
                {progress.domains
                  .filter((one) => one.attempts > 0)
                  .map((one) => (
                    <li
                      key={one.domain}
                      className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1.5 border-line px-4 py-2.5 not-first:border-t sm:grid-cols-[14rem_minmax(0,1fr)_12rem]"
                    >
                      <span>{m.domain[one.domain]}</span>
                      <Bar score={one.median} passMark={66} />
                      <span className="text-right text-xs text-text-2 tabular-nums">
                        {m.exam.median} {percent(one.median)} · {m.exam.best} {percent(one.best)}
                        {one.pace === null ? null : <span className="block">{m.exam.paceOf(one.pace)}</span>}
                      </span>
                    </li>
                  ))}
              </ul>
            </>
          ) : null}
          <ul className="mt-3 overflow-hidden rounded-lg border border-line bg-surface">
            {history.map((drill) => (
              <li
                key={drill.id}
                className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 border-line px-4 py-2.5 not-first:border-t"
              >
                <div className="min-w-0">
                  <p className="font-medium text-balance">{text(drill.name)}</p>
                  <p className="text-xs text-text-2">
                    {[
                      dateOf(drill.createdAt, locale),
                      m.exam.modes[drill.mode],
                      m.backend[drill.backend],
                      drill.state === 'ended' ? duration(drill.spentMs, locale) : null,
                      drill.imported ? m.data.imported : null,
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </p>
                </div>
                <div className="flex items-center gap-3">
                  <Outcome drill={drill} />
                  {drill.state === 'ended' ? (
                    <Link
                      href={`/exam/${drill.id}/review`}
                      className={buttonClass('normal', true)}
                      aria-label={m.exam.reviewNamed(text(drill.name), dateOf(drill.createdAt, locale))}
                    >
                      {m.exam.review}
                    </Link>
                  ) : null}
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

/** How the scores went, drill by drill; the list below says the same in words. */
function Trend({ history }: { history: DrillSummary[] }) {
  const m = useMessages()
  const text = useText()
  const locale = useLocale()
  const scored = history.filter((drill) => drill.result?.score != null).reverse()
  if (scored.length < 2) return null
  const said = scored.map((drill) => m.exam.weight(digits(drill.result!.score!))).join(', ')
  return (
    <figure className="mt-3">
      <figcaption className="text-xs text-text-2">{m.exam.trend}</figcaption>
      <div
        role="img"
        aria-label={m.exam.trendOf(said)}
        className="mt-1.5 flex h-20 items-end gap-1 overflow-hidden border-b border-line-strong/60"
      >
        {scored.slice(-60).map((drill) => (
          <span
            key={drill.id}
            title={`${dateOf(drill.createdAt, locale)} · ${text(drill.name)} · ${m.exam.weight(digits(drill.result!.score!))}`}
            className="relative flex h-full w-full max-w-6 items-end"
          >
            <span
              className={cx('block min-h-px w-full rounded-t-sm', drill.result!.passed ? 'bg-ok' : 'bg-fail')}
              style={{ height: `${drill.result!.score!}%` }}
            />
            <span className="absolute h-px w-full bg-text" style={{ bottom: `${drill.passMark}%` }} />
          </span>
        ))}
      </div>
    </figure>
  )
}

function Outcome({ drill }: { drill: DrillSummary }) {
  const m = useMessages()
  if (drill.state === 'cancelled')
    return (
      <Badge tone="idle" icon="cancelled">
        {m.exam.cancelled}
      </Badge>
    )
  const { result } = drill
  if (drill.resultsAt !== undefined)
    return (
      <Badge tone="idle" icon="waiting">
        {m.exam.withheldBadge}
      </Badge>
    )
  if (result === null || result.score === null) return <Badge tone="warn">{m.exam.noScore}</Badge>
  return (
    <Badge tone={result.passed ? 'ok' : 'fail'} icon={result.passed ? 'ok' : 'fail'}>
      {m.exam.weight(digits(result.score))} · {result.passed ? m.exam.passed : m.exam.failed}
    </Badge>
  )
}
