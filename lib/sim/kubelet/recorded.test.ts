// Pods that were run on a kind cluster (v1.35.4) for ten minutes, run here for as long: the same status and the same events, but for times, addresses and ids.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { KubeObject } from '../kube.ts'
import { testNode } from './fixture.ts'

const recorded: Record<string, { spec: KubeObject; status: KubeObject; events: string[] }> = JSON.parse(
  readFileSync(new URL('recorded.json', import.meta.url), 'utf8'),
)
const normal = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value)
      .replace(/containerd:\/\/[0-9a-f]{64}/g, 'containerd://ID')
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, (time) => (time.startsWith('1970') ? time : 'TIME'))
      .replace(/kube-api-access-\w{5}/g, 'kube-api-access')
      .replace(/10\.244\.\d+\.\d+/g, 'POD-IP')
      .replace(/172\.18\.0\.\d+/g, 'HOST-IP')
      .replace(/back-off \w+ restarting/g, 'back-off TIME restarting'),
  )
/** How often it was started in ten minutes hangs on milliseconds; what alternates is one of two. */
const loose = (status: KubeObject) => {
  for (const one of status.containerStatuses) {
    if (one.restartCount > 3) one.restartCount = 'several'
    const waiting = one.state.waiting
    if (waiting?.reason === 'ErrImagePull' || waiting?.reason === 'ImagePullBackOff') one.state = 'pulling'
    if (
      waiting?.reason === 'RunContainerError' ||
      (waiting?.reason === 'CrashLoopBackOff' && one.lastState.terminated.reason === 'StartError')
    )
      one.state = 'not starting'
  }
  return status
}

test('recorded pods', async () => {
  const node = await testNode()
  try {
    node.startKubelet()
    for (const [name, { spec }] of Object.entries(recorded)) node.run(name, spec)
    await node.until(() => false, 600)
    for (const [name, { status, events }] of Object.entries(recorded)) {
      expect({ name, ...loose(normal(node.pod(name).status)) }).toEqual({ name, ...loose(status) })
      expect({ name, events: [...new Set(normal(node.events(name)))].sort() }).toEqual({ name, events })
    }
  } finally {
    await node.close()
  }
})
