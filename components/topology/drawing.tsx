'use client'
// Draws the cluster: a column per node with its pods, services above with what is behind them. Knows picture.ts' shapes only.
import { useState } from 'react'
import type { Topology } from '#lib/protocol/index.ts'
import { useMessages } from '../i18n/index.tsx'
import { cx } from '../ui/cx.ts'
import { type IconName, StateIcon, type Tone } from '../ui/state.tsx'
import { behind, type Column, columns, isEmpty, type Pod, podKey, type Service, services } from './picture.ts'

const podLooks: Record<Pod['state'], { tone: Tone; icon: IconName }> = {
  ok: { tone: 'ok', icon: 'ok' },
  pending: { tone: 'warn', icon: 'holding' },
  broken: { tone: 'fail', icon: 'fail' },
  done: { tone: 'idle', icon: 'skipped' },
}
/** Pods of a column that are shown before the rest is folded away. */
const fold = 12

export function Picture({ topology }: { topology: Topology }) {
  const m = useMessages()
  const [system, setSystem] = useState(true)
  const [onlyBroken, setOnlyBroken] = useState(false)
  const [picked, setPicked] = useState<string | null>(null)
  const show = { system, onlyBroken }
  const listed = services(topology, show)
  const chosen = topology.services.find((service) => podKey(service) === picked) ?? null
  const lit = chosen ? behind(chosen) : null
  const cols = columns(topology, show)
  return (
    <div className="p-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs">
        <Toggle label={m.cluster.showSystem} on={system} set={setSystem} />
        <Toggle label={m.cluster.onlyBroken} on={onlyBroken} set={setOnlyBroken} />
        {chosen ? (
          <span role="status" className="text-accent">
            {m.cluster.picked(podKey(chosen))}
          </span>
        ) : null}
      </div>
      <section aria-label={m.cluster.services} className="mt-2">
        {listed.length === 0 ? (
          <p className="text-xs text-text-3">{onlyBroken ? m.cluster.allWell : m.cluster.noServices}</p>
        ) : (
          <ul className="flex flex-wrap gap-1.5">
            {listed.map((service) => (
              <ServiceChip
                key={podKey(service)}
                service={service}
                on={podKey(service) === picked}
                pick={() => setPicked(podKey(service) === picked ? null : podKey(service))}
              />
            ))}
          </ul>
        )}
      </section>
      <section aria-label={m.cluster.nodes} className="mt-3 grid grid-cols-[repeat(auto-fit,minmax(15rem,1fr))] gap-x-4 gap-y-4">
        {cols.map((column) => (
          <NodeColumn key={column.node?.name ?? ''} column={column} lit={lit} />
        ))}
      </section>
    </div>
  )
}

function Toggle({ label, on, set }: { label: string; on: boolean; set(on: boolean): void }) {
  return (
    <label className="flex items-center gap-1.5 text-text-2">
      <input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} className="accent-accent" />
      {label}
    </label>
  )
}

function ServiceChip({ service, on, pick }: { service: Service; on: boolean; pick(): void }) {
  const m = useMessages()
  const total = service.readyEndpoints + service.notReadyEndpoints
  const empty = isEmpty(service)
  const tone: Tone = empty ? 'fail' : service.notReadyEndpoints > 0 ? 'warn' : 'ok'
  return (
    <li>
      <button
        type="button"
        aria-pressed={on}
        onClick={pick}
        title={`${service.type} ${service.clusterIP ?? ''} ${service.ports.join(', ')}`}
        className={cx(
          'flex items-center gap-1.5 rounded-sm border px-1.5 py-0.5 text-left text-xs',
          on ? 'border-accent bg-accent-tint' : empty ? 'border-fail/50 bg-fail-tint' : 'border-line bg-surface hover:bg-hover',
        )}
      >
        <StateIcon icon={empty ? 'fail' : tone === 'warn' ? 'warn' : 'ok'} tone={tone} className="size-3.5" />
        <code>
          <span className="text-text-3">{service.namespace}/</span>
          {service.name}
        </code>
        {service.type === 'ClusterIP' ? null : <span className="text-text-2">{service.type}</span>}
        <span className={empty ? 'font-medium text-fail' : 'text-text-2'}>
          {empty ? m.cluster.endpoints(0, total) : <span aria-hidden>{`${service.readyEndpoints}/${total}`}</span>}
          {empty ? null : <span className="sr-only">{m.cluster.endpoints(service.readyEndpoints, total)}</span>}
        </span>
      </button>
    </li>
  )
}

const nodeLooks = { ready: ['ok', 'ok'], 'not-ready': ['fail', 'fail'], unknown: ['warn', 'unknown'], gone: ['fail', 'cancelled'] } as const

function NodeColumn({ column: { node, pods }, lit }: { column: Column; lit: ReadonlySet<string> | null }) {
  const m = useMessages()
  const [all, setAll] = useState(false)
  const listed = all || pods.length <= fold + 2 ? pods : pods.slice(0, fold)
  const [tone, icon] = node ? nodeLooks[node.state] : (['warn', 'warn'] as const)
  const bad = node === null || node.state !== 'ready'
  return (
    <div
      className={cx(
        'min-w-0 border-t-2 pt-1.5',
        node?.state === 'ready' ? 'border-line-strong' : tone === 'fail' ? 'border-fail' : 'border-warn',
      )}
      data-node={node?.place}
    >
      <div className="flex flex-wrap items-center gap-x-2">
        <StateIcon icon={icon} tone={tone} className="size-3.5" />
        <h3 className="text-xs font-semibold">{node ? <code>{node.name}</code> : m.cluster.unplaced}</h3>
        {node ? (
          <>
            <span className={cx('text-xs', bad ? (tone === 'fail' ? 'font-medium text-fail' : 'font-medium text-warn') : 'text-text-2')}>
              {m.cluster.node[node.state]}
            </span>
            {node.unschedulable ? <span className="text-xs font-medium text-warn">{m.cluster.cordoned}</span> : null}
            <span className="ml-auto text-xs text-text-3">
              {m.cluster.role[node.role]}
              {node.address ? <code> {node.address}</code> : null}
            </span>
          </>
        ) : null}
      </div>
      {node?.reason && bad ? <p className="text-xs break-words text-fail">{node.reason}</p> : null}
      {pods.length === 0 ? <p className="mt-1 text-xs text-text-3">{m.cluster.noPods}</p> : null}
      <ul className="mt-1">
        {listed.map((pod) => (
          <PodRow key={podKey(pod)} pod={pod} lit={lit?.has(podKey(pod)) ?? false} dim={lit !== null && !lit.has(podKey(pod))} />
        ))}
      </ul>
      {pods.length > fold + 2 ? (
        <button type="button" className="mt-0.5 rounded-sm px-1 text-xs text-accent hover:underline" onClick={() => setAll(!all)}>
          {all ? m.cluster.less : m.cluster.more(pods.length - fold)}
        </button>
      ) : null}
    </div>
  )
}

function PodRow({ pod, lit, dim }: { pod: Pod; lit: boolean; dim: boolean }) {
  const m = useMessages()
  const look = podLooks[pod.state]
  const loud = pod.state === 'broken' || pod.state === 'pending'
  return (
    <li
      className={cx(
        '-mx-1 flex items-center gap-x-1.5 rounded-sm px-1 py-px text-xs',
        // What is wrong has a line of its own, so that neither name nor state is cut.
        loud && 'flex-wrap',
        lit && 'bg-accent-tint',
        pod.state === 'broken' && !lit && 'bg-fail-tint',
        dim && !loud && 'text-text-3',
      )}
      title={`${podKey(pod)} · ${pod.status}`}
      data-pod={podKey(pod)}
      data-state={pod.state}
    >
      <StateIcon {...look} className="size-3.5" />
      <code className={cx('min-w-0 truncate', loud && 'flex-1')}>
        {pod.name} <span className="text-text-3">{pod.namespace}</span>
      </code>
      <span
        className={cx(
          'shrink-0',
          loud ? 'order-last basis-full pl-5' : 'ml-auto',
          loud ? (pod.state === 'broken' ? 'font-medium text-fail' : 'text-warn') : 'text-text-3',
        )}
      >
        {pod.state === 'ok' && pod.status === 'Running' ? <span className="sr-only">{pod.status}</span> : pod.status}
        <span className="sr-only"> ({m.cluster.pod[pod.state]})</span>
      </span>
      {pod.restarts > 0 ? (
        <span className="shrink-0 text-text-3 tabular-nums" title={m.cluster.restarts(pod.restarts)}>
          <span aria-hidden>↻{pod.restarts}</span>
          <span className="sr-only">{m.cluster.restarts(pod.restarts)}</span>
        </span>
      ) : null}
    </li>
  )
}
