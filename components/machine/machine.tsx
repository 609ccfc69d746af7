'use client'
// What the labs need of this machine: the doctor's lines with remedies, and the set-up with its consent and progress.
// Knows the doctor's report and the set-up's steps as data; knows nothing of Docker.
import { useRouter } from 'next/navigation'
import { useState, useTransition } from 'react'
import type { BackendView, DoctorReport, SetupView } from '#lib/protocol/index.ts'
import { Failure } from '../failure.tsx'
import { useLocale, useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { cx } from '../ui/cx.ts'
import { Confirm } from '../ui/dialog.tsx'
import { CopyButton } from '../ui/markdown.tsx'
import { Badge, type IconName, StateIcon, type Tone } from '../ui/state.tsx'
import { clock, duration, useNow } from '../ui/time.ts'
import { usePlan, useSetup } from './use-setup.ts'

/** In the catalogue, where no backend is ready: what to do, at once. */
export function MachineNotice({
  backends,
  setup: initial,
  doctor,
}: {
  backends: BackendView[]
  setup: SetupView
  doctor: DoctorReport | null
}) {
  const m = useMessages()
  const state = useSetup(initial)
  const preparable = backends.some((backend) => backend.state === 'preparable')
  const missing = doctor?.checks.filter((check) => check.state === 'missing') ?? []
  const busy = state.setup.state === 'running'
  return (
    <section aria-labelledby="machine-notice" className="mb-6 overflow-hidden rounded-lg border border-warn/40 bg-surface">
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3 px-4 py-4">
        <div className="min-w-0 flex-1 basis-80">
          <h2 id="machine-notice" className="flex items-center gap-2 font-semibold">
            <StateIcon icon={busy ? 'running' : 'warn'} tone={busy ? 'accent' : 'warn'} />
            {busy ? m.machine.preparing : m.machine.notReady}
          </h2>
          {busy ? null : <p className="mt-1 text-text-2">{preparable ? m.machine.notReadyPreparable : m.machine.notReadyBlocked}</p>}
          {busy
            ? null
            : backends
                .filter((backend) => backend.state !== 'ready')
                .map((backend) => (
                  <p key={backend.name} className="mt-1 text-text-2">
                    <Said text={backend.message} />
                    {backend.remedy ? <Remedy text={backend.remedy} /> : null}
                  </p>
                ))}
        </div>
        {preparable && !busy ? <Prepare state={state} /> : null}
      </div>
      <SetupProgress state={state} />
      {missing.length > 0 && !busy ? (
        <div className="border-t border-line">
          <h3 className="px-4 pt-3 text-xs font-semibold text-text-2">{m.machine.lines}</h3>
          <Lines checks={missing} />
        </div>
      ) : null}
    </section>
  )
}

/** The machine's own page. */
export function Machine({ backends, setup: initial, doctor }: { backends: BackendView[]; setup: SetupView; doctor: DoctorReport }) {
  const m = useMessages()
  const router = useRouter()
  const [looking, startLooking] = useTransition()
  const state = useSetup(initial)
  const busy = state.setup.state === 'running'
  const missing = doctor.checks.filter((check) => check.state === 'missing').length
  const order = { missing: 0, mended: 1, ok: 2 }
  return (
    <>
      <div className="flex flex-wrap items-end justify-between gap-3 pt-8 pb-6">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{m.machine.title}</h1>
          <p className="mt-1 text-text-2">{m.machine.lead}</p>
        </div>
        <div className="flex gap-2">
          <Button disabled={looking} onClick={() => startLooking(() => router.refresh())}>
            {looking ? m.machine.looking : m.machine.again}
          </Button>
          {backends.some((backend) => backend.state === 'preparable') && !busy ? <Prepare state={state} /> : null}
        </div>
      </div>
      {state.setup.state === 'idle' && !state.problem ? null : (
        <section aria-label={m.machine.preparing} className="mb-6 overflow-hidden rounded-lg border border-line bg-surface">
          <SetupProgress state={state} first />
        </section>
      )}
      <h2 className="text-[0.8125rem] font-semibold text-text-2">{m.machine.backends}</h2>
      <ul className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
        {backends.map((backend) => {
          const look = { ready: ['ok', 'ok'], preparable: ['warn', 'warn'], unavailable: ['fail', 'fail'] } as const
          const [tone, icon] = look[backend.state]
          return (
            <li key={backend.name} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 border-line px-4 py-3 not-first:border-t">
              <span className="font-medium">{m.backendLong[backend.name]}</span>
              <Badge tone={tone} icon={icon}>
                {m.machine.backendState[backend.state]}
              </Badge>
              {backend.kubernetesVersion ? (
                <span className="text-xs text-text-2">{m.catalogue.version(backend.kubernetesVersion)}</span>
              ) : null}
              <span className="basis-full text-text-2">
                <Said text={backend.message} />
                {backend.remedy ? <Remedy text={backend.remedy} /> : null}
              </span>
            </li>
          )
        })}
      </ul>
      <h2 className="mt-7 flex items-baseline gap-3 text-[0.8125rem] font-semibold text-text-2">
        {m.machine.all}
        <span className="font-normal text-text-3 tabular-nums">
          {missing > 0 ? `${m.machine.missingCount(missing)} · ` : ''}
          {m.machine.okCount(doctor.checks.length - missing)}
        </span>
      </h2>
      <div className="mt-2 overflow-hidden rounded-lg border border-line bg-surface">
        <Lines checks={[...doctor.checks].sort((a, b) => order[a.state] - order[b.state])} />
      </div>
    </>
  )
}

const lineLook: Record<'ok' | 'mended' | 'missing', { tone: Tone; icon: IconName }> = {
  ok: { tone: 'ok', icon: 'ok' },
  mended: { tone: 'accent', icon: 'ok' },
  missing: { tone: 'fail', icon: 'fail' },
}

function Lines({ checks }: { checks: DoctorReport['checks'] }) {
  const m = useMessages()
  return (
    <ul>
      {checks.map((check) => (
        <li
          key={check.id}
          className="grid gap-x-4 gap-y-0.5 border-line px-4 py-2.5 not-first:border-t sm:grid-cols-[8.5rem_10rem_minmax(0,1fr)] sm:items-baseline"
        >
          <span
            className={cx(
              'flex items-center gap-1.5 text-xs font-medium',
              { ok: 'text-ok', mended: 'text-accent', missing: 'text-fail' }[check.state],
            )}
          >
            <StateIcon {...lineLook[check.state]} className="size-3.5" />
            {m.machine.state[check.state]}
          </span>
          <code className="text-xs text-text-2">{check.id}</code>
          <span className="min-w-0">
            <Said text={check.message} />
            {check.remedy && check.state !== 'ok' ? <Remedy text={check.remedy} /> : null}
          </span>
        </li>
      ))}
    </ul>
  )
}

/** Words in which what stands in `backquotes` is code. */
function Said({ text }: { text: string }) {
  return text.split(/`([^`]+)`/).map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one fixed text
      <code key={index} className="text-[0.92em]">
        {part}
      </code>
    ) : (
      part
    ),
  )
}

/** What to do. What stands in `backquotes` is a command that can be copied. */
function Remedy({ text }: { text: string }) {
  const m = useMessages()
  return (
    <span className="mt-0.5 block text-text">
      <span className="text-text-3">{m.machine.remedy}: </span>
      {text.split(/`([^`]+)`/).map((part, index) =>
        index % 2 === 1 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one fixed text
          <span key={index} className="inline-flex max-w-full items-center rounded-sm bg-sunken align-middle">
            <code className="px-1.5 py-0.5 text-xs break-all">{part}</code>
            <CopyButton text={part} />
          </span>
        ) : (
          part
        ),
      )}
    </span>
  )
}

function Prepare({ state }: { state: ReturnType<typeof useSetup> }) {
  const m = useMessages()
  const [asking, setAsking] = useState(false)
  const plan = usePlan(asking)
  const failed = state.setup.state === 'failed'
  return (
    <>
      <Button weight="primary" onClick={() => setAsking(true)}>
        {failed ? m.machine.resume : m.machine.prepare}
      </Button>
      <Confirm open={asking} onOpenChange={setAsking} title={m.machine.consentTitle} yes={m.machine.consentYes} onYes={state.begin} wide>
        <p>{m.machine.consentLead}</p>
        {plan.state === 'failed' ? <Failure error={plan.problem} /> : null}
        <ul className="list-disc space-y-1 pl-5" aria-busy={plan.state === 'looking'}>
          {(plan.state === 'known' ? plan.changes : m.machine.consentItems).map((item) => (
            <li key={item} lang={plan.state === 'known' ? 'en' : undefined}>
              <Said text={item} />
            </li>
          ))}
        </ul>
        {plan.state === 'looking' ? <p className="text-text-3">{m.machine.consentLooking}</p> : null}
        {plan.state === 'known' && plan.changes.length === 0 ? <p>{m.machine.consentNothing}</p> : null}
        <p className="font-medium text-text">{m.machine.consentTime}</p>
        <p>{m.machine.consentDisk}</p>
      </Confirm>
    </>
  )
}

function SetupProgress({ state: { setup, problem }, first = false }: { state: ReturnType<typeof useSetup>; first?: boolean }) {
  const m = useMessages()
  const locale = useLocale()
  const now = useNow(setup.state === 'running')
  const looks: Record<SetupView['steps'][number]['state'], { tone: Tone; icon: IconName }> = {
    pending: { tone: 'idle', icon: 'waiting' },
    running: { tone: 'accent', icon: 'running' },
    done: { tone: 'ok', icon: 'ok' },
    failed: { tone: 'fail', icon: 'fail' },
    skipped: { tone: 'idle', icon: 'skipped' },
  }
  const began = Math.min(...setup.steps.map((step) => step.startedAt ?? Number.POSITIVE_INFINITY))
  return (
    <>
      {problem ? <Failure error={problem} /> : null}
      {setup.state === 'failed' && setup.error ? <Failure error={setup.error} /> : null}
      {setup.state === 'idle' || setup.steps.length === 0 ? null : (
        <div className={cx(!first && 'border-t border-line')}>
          <p role="status" className="flex items-center justify-between gap-4 px-4 pt-3 text-xs font-semibold text-text-2">
            {setup.state === 'running' ? m.machine.preparing : setup.state === 'done' ? m.machine.prepared : m.machine.prepareFailed}
            {setup.state === 'running' && now !== null && Number.isFinite(began) ? (
              <span aria-hidden className="font-normal tabular-nums">
                {m.machine.elapsed} {clock(now - began)}
              </span>
            ) : null}
          </p>
          <ol className="px-4 py-2">
            {setup.steps.map((step) => (
              <li key={step.id} className="grid grid-cols-[1rem_minmax(0,1fr)_auto] items-baseline gap-x-2.5 py-1">
                <StateIcon {...looks[step.state]} className="translate-y-0.5" />
                <span className={cx(step.state === 'pending' && 'text-text-3')}>
                  {step.title}
                  <span className="sr-only">: {m.machine.step[step.state]}</span>
                  {step.detail && (step.state === 'running' || step.state === 'failed') ? (
                    <code className="block truncate text-xs text-text-2" title={step.detail}>
                      {step.detail}
                    </code>
                  ) : null}
                </span>
                <span className="text-xs text-text-2 tabular-nums">
                  {step.state === 'skipped'
                    ? m.machine.step.skipped
                    : step.startedAt && step.endedAt
                      ? duration(step.endedAt - step.startedAt, locale)
                      : step.startedAt && now !== null
                        ? clock(now - step.startedAt)
                        : ''}
                </span>
              </li>
            ))}
          </ol>
        </div>
      )}
    </>
  )
}
