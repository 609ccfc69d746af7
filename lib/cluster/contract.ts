// What every cluster adapter must do, as one suite: an adapter's test calls `clusterContract` with a provider and names, with a reason, what it
// cannot do. Asserts behaviour at the port only; knows nothing of how an adapter works.
import { CoreV1Api, KubeConfig, Watch } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabError } from '#lib/protocol/index.ts'
import type { Cluster, ClusterProvider, Progress, Shell } from './port.ts'

export interface Contract {
  name: string
  /** a provider that sees the clusters of the earlier ones that this gave (as after a restart of the server) */
  provider: () => ClusterProvider | Promise<ClusterProvider>
  /** after everything: nothing may be left. Throws with what is */
  nothingLeft: (id: string) => Promise<void>
  /** an address that the nodes have, and a port on which nobody listens there */
  closedPort?: number
  /** parts of the suite that this adapter does not pass, each with why; printed with the results */
  skip?: readonly { part: Part; reason: string }[]
}
type Part = 'probe' | 'exec' | 'files' | 'shell' | 'api' | 'baseline' | 'diagnostics' | 'adopt' | 'units' | 'suspension'

const never = new AbortController().signal
const utf8 = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (text: string) => new TextEncoder().encode(text)
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: LabError) => error.code,
  )

/** A shell's output as it comes, to be waited for. */
function listen(shell: Shell) {
  let text = ''
  let next = shell.offset
  let end: Parameters<Parameters<Shell['onEnd']>[0]>[0] | undefined
  const waiting = new Set<() => void>()
  const decoder = new TextDecoder()
  const wake = () => {
    for (const one of waiting) one()
  }
  shell.onOutput((chunk, offset) => {
    expect(offset).toBe(next)
    next += chunk.byteLength
    text += decoder.decode(chunk, { stream: true })
    wake()
  })
  shell.onEnd((how) => {
    end = how
    wake()
  })
  const until = async <T>(found: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const value = found()
      if (value) return value
      await new Promise<void>((resolve) => {
        const once = () => {
          waiting.delete(once)
          resolve()
        }
        waiting.add(once)
      })
    }
  }
  return {
    says: (pattern: RegExp) => until(() => pattern.exec(text) ?? undefined),
    ends: () => until(() => end),
    text: () => text,
    next: () => next,
  }
}

/** Defines the suite. To be called at the top of a test file. */
export function clusterContract(contract: Contract): void {
  const reasons = new Map((contract.skip ?? []).map(({ part, reason }) => [part, reason]))
  const part = (name: Part, define: () => void) => {
    const reason = reasons.get(name)
    describe(reason ? `${name} (left out: ${reason})` : name, () => {
      if (reason) it.todo(reason)
      else define()
    })
  }

  describe(`${contract.name} keeps the cluster contract`, () => {
    let provider: ClusterProvider
    let cluster: Cluster
    const steps: Parameters<Progress>[0][] = []

    beforeAll(async () => {
      provider = await contract.provider()
      for await (const left of provider.adopt()) await left.destroy()
      cluster = await provider.create({ workers: 2 }, (line) => steps.push(line), never)
    })
    afterAll(async () => {
      await cluster?.destroy()
    })

    describe('creation', () => {
      it('tells each step, begun and done, and none failed', () => {
        const names = [...new Set(steps.map((line) => line.step))]
        expect(names.length).toBeGreaterThan(2)
        for (const name of names) {
          const states = steps.filter((line) => line.step === name).map((line) => line.state)
          expect([name, states[0], states.at(-1)]).toEqual([name, 'running', 'done'])
        }
      })
      it('gives one control plane and two workers by their places, each with its own name', () => {
        expect(cluster.nodes.map((node) => [node.place, node.role])).toEqual([
          ['control-plane', 'control-plane'],
          ['worker-1', 'worker'],
          ['worker-2', 'worker'],
        ])
        expect(new Set(cluster.nodes.map((node) => node.name)).size).toBe(3)
        for (const node of cluster.nodes) expect(node.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      })
      it('leaves it healthy, and says what it is and can do', async () => {
        expect(await cluster.health()).toEqual({ state: 'ok' })
        expect(cluster.kubernetesVersion).toBe((await provider.identity()).kubernetesVersion)
        expect([...cluster.can].sort()).toEqual([...provider.can].sort())
        expect(await provider.status()).toMatchObject({ name: cluster.backend, state: 'ready' })
      })
      it('that is cancelled leaves nothing', async () => {
        const abort = new AbortController()
        let begun = 0
        const creation = provider.create(
          { workers: 0 },
          () => {
            begun += 1
            abort.abort()
          },
          abort.signal,
        )
        expect(await codeOf(creation)).toBe('cancelled')
        expect(begun).toBeGreaterThan(0)
        const ids: string[] = []
        for await (const one of (await contract.provider()).adopt()) ids.push(one.id)
        expect(ids).toEqual([cluster.id])
      })
    })

    part('exec', () => {
      it('gives exit code, output and errors apart', async () => {
        const result = await cluster.exec('worker-1', ['sh', '-c', 'echo out; echo err >&2; exit 7'])
        expect(result).toEqual({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' })
      })
      it('passes arguments as they are, standard input and environment', async () => {
        const result = await cluster.exec(
          'worker-2',
          ['sh', '-c', 'printf "%s|" "$@"; printf "%s|" "$WORD"; cat', 'sh', 'a b', "'; exit 9 #", '$HOME'],
          {
            stdin: 'from outside',
            env: { WORD: 'two words' },
          },
        )
        expect(result.stdout).toBe("a b|'; exit 9 #|$HOME|two words|from outside")
      })
      it('is the learner on the workstation', async () => {
        expect((await cluster.exec('workstation', ['sh', '-c', 'echo $USER'])).stdout).toBe('candidate\n')
      })
      it('keeps UTF-8 whole, in lines too', async () => {
        const lines: string[] = []
        const result = await cluster.exec('workstation', ['sh', '-c', 'for i in $(seq 2000); do echo "한국어 $i"; done'], {
          onLine: (line) => lines.push(line),
        })
        expect(result.stdout.split('\n')).toHaveLength(2001)
        expect(result.stdout).not.toContain('\ufffd')
        expect(lines).toHaveLength(2000)
        expect(lines.at(-1)).toBe('한국어 2000')
      })
      it('carries eight megabytes out', async () => {
        const result = await cluster.exec('worker-1', ['sh', '-c', 'head -c 8388608 /dev/zero | tr "\\0" x'])
        expect(result.stdout.length).toBe(8 * 1024 * 1024)
      })
      it('carries a megabyte in', async () => {
        const result = await cluster.exec('worker-1', ['wc', '-c'], { stdin: 'y'.repeat(1024 * 1024) })
        expect(result.stdout.trim()).toBe('1048576')
      })
      it('ends what takes too long, with what it started', async () => {
        const mark = `1${Date.now() % 1_000_000}`
        expect(await codeOf(cluster.exec('worker-1', ['sh', '-c', `sleep ${mark} & sleep ${mark}`], { timeoutMs: 500 }))).toBe('timeout')
        await gone(cluster, mark)
      })
      it('ends what is cancelled', async () => {
        const abort = new AbortController()
        const mark = `2${Date.now() % 1_000_000}`
        const running = codeOf(
          cluster.exec('worker-1', ['sh', '-c', `echo begun; exec sleep ${mark}`], { signal: abort.signal, onLine: () => abort.abort() }),
        )
        expect(await running).toBe('cancelled')
        await gone(cluster, mark)
        expect(await codeOf(cluster.exec('worker-1', ['true'], { signal: AbortSignal.abort() }))).toBe('cancelled')
      })
      it('refuses places that are not there', async () => {
        expect(await codeOf(cluster.exec('worker-9', ['true']))).toBe('not-found')
        expect(await codeOf(cluster.exec({ namespace: 'default', pod: 'no-such-pod' }, ['true']))).toBe('not-found')
      })
    })

    part('files', () => {
      for (const where of ['worker-1', 'workstation']) {
        const folder = where === 'workstation' ? '/home/candidate' : '/etc'
        it(`writes and reads on ${where}, bytes as they are, and keeps the mode of what is there`, async () => {
          const path = `${folder}/contract-한글.bin`
          const content = Uint8Array.from({ length: 300_000 }, (_, index) => index % 256)
          await cluster.writeFile(where, path, content)
          expect(Buffer.from(await cluster.readFile(where, path)).equals(content)).toBe(true)
          await cluster.writeFile(where, path, bytes('short'), { mode: 0o640 })
          await cluster.writeFile(where, path, bytes('shorter'))
          expect(utf8(await cluster.readFile(where, path))).toBe('shorter')
          const listed = (await cluster.listFiles(where, folder)).find((entry) => entry.path === path)
          expect(listed).toEqual({ name: 'contract-한글.bin', path, type: 'file', size: 7 })
        })
        it(`says so when something is missing, or is no file, on ${where}`, async () => {
          expect(await codeOf(cluster.readFile(where, `${folder}/nothing-here`))).toBe('not-found')
          expect(await codeOf(cluster.writeFile(where, `${folder}/no/such/folder`, bytes('x')))).toBe('not-found')
          expect(await codeOf(cluster.listFiles(where, `${folder}/nothing-here`))).toBe('not-found')
          expect(await codeOf(cluster.readFile(where, folder))).toMatch(/^(not-found|bad-request)$/)
          expect(await codeOf(cluster.writeFile(where, folder, bytes('x')))).toBe('bad-request')
        })
      }
      it('lists in order, with types', async () => {
        const entries = await cluster.listFiles('control-plane', '/etc')
        expect(entries.map((entry) => entry.name)).toEqual(entries.map((entry) => entry.name).sort())
        expect(entries.find((entry) => entry.name === 'kubernetes')).toMatchObject({ type: 'directory', path: '/etc/kubernetes' })
      })
      it('is never led out of the machine by links or dots', async () => {
        // Where a link or `..` would lead on the host, it leads within the machine.
        await cluster.exec('worker-1', [
          'sh',
          '-c',
          'cd "${ROOT:-/}" && printf inside > contract-inside && ln -sfn /contract-inside etc/contract-link && ln -sfn ../../../../../../../../contract-inside etc/contract-dots',
        ])
        for (const path of ['/etc/contract-link', '/etc/contract-dots', '/../../../../contract-inside', '/etc/../../contract-inside']) {
          expect([path, utf8(await cluster.readFile('worker-1', path))]).toEqual([path, 'inside'])
        }
        await cluster.writeFile('worker-1', '/etc/contract-link', bytes('through'))
        expect(utf8(await cluster.readFile('worker-1', '/contract-inside'))).toBe('through')
      })
      it('refuses what is too large', async () => {
        expect(await codeOf(cluster.writeFile('worker-1', '/etc/large', new Uint8Array(4 * 1024 * 1024 + 1)))).toBe('too-large')
      })
    })

    part('units', () => {
      it('tells a running unit from one that does not exist', async () => {
        expect(await cluster.unit('worker-1', 'kubelet.service')).toEqual({
          load: 'loaded',
          active: 'active',
          sub: 'running',
          enabled: 'enabled',
          pid: expect.any(Number),
        })
        expect(await cluster.unit('worker-1', 'no-such.service')).toMatchObject({ load: 'not-found', active: 'inactive' })
      })
    })

    part('shell', () => {
      const size = { cols: 80, rows: 24 }
      const open = async (id: string, from = 0, where = 'workstation') => {
        const shell = await cluster.shell(where, { id, size, from })
        return { shell, ...listen(shell) }
      }
      it('echoes, and passes Korean through', async () => {
        const { shell, says } = await open('echo')
        shell.write(bytes('echo "안녕-$((40+2))"\n'))
        await says(/안녕-42/)
        await shell.kill()
      })
      it('takes a new size', async () => {
        const { shell, says } = await open('size')
        shell.resize({ cols: 101, rows: 33 })
        shell.write(bytes('stty size\n'))
        await says(/\b33 101\b/)
        await shell.kill()
      })
      it('ends with the exit code', async () => {
        const { shell, ends } = await open('exit', 0, 'worker-1')
        shell.write(bytes('exit 5\n'))
        expect(await ends()).toEqual({ kind: 'exit', exitCode: 5 })
        await shell.kill()
      })
      it('goes on from the byte asked for after its client has left', async () => {
        const first = await open('again')
        first.shell.write(bytes('echo one-$((1+0))\n'))
        await first.says(/one-1\r\n[\s\S]*\$ $/)
        const seen = first.next()
        await first.shell.detach()
        const second = await open('again', seen)
        expect([second.shell.offset, second.shell.lost]).toEqual([seen, 0])
        second.shell.write(bytes('echo two-$((1+1))\n'))
        await second.says(/two-2/)
        expect(second.text()).not.toContain('one-1')
        const all = await open('again', 0)
        await all.says(/one-1[\s\S]*two-2/)
        expect(all.shell.offset).toBe(0)
        await all.shell.detach()
        await second.shell.kill()
      })
      it('works on for nobody', async () => {
        const first = await open('alone')
        first.shell.write(
          bytes('cd; mkfifo contract-fifo && echo go-$((1+1)); read word < contract-fifo; echo "heard $word" | tee contract-heard\n'),
        )
        await first.says(/go-2/)
        const seen = first.next()
        await first.shell.detach()
        // Nobody listens now; the shell gets its word from elsewhere.
        await cluster.exec('workstation', ['sh', '-c', 'cd && echo something > contract-fifo'])
        await expect
          .poll(() => codeOf(cluster.readFile('workstation', '/home/candidate/contract-heard')), { timeout: 30_000 })
          .toBe('no error')
        const second = await open('alone', seen)
        await second.says(/heard something/)
        await second.shell.kill()
        await cluster.exec('workstation', ['sh', '-c', 'cd && rm contract-fifo contract-heard'])
      })
      it('holds its output back while paused', async () => {
        const { shell, says } = await open('flood')
        let delivered = 0
        const flooded = await cluster.shell('workstation', { id: 'flood-two', size })
        let paused = false
        const firstBytes = Promise.withResolvers<void>()
        flooded.onOutput((chunk) => {
          delivered += chunk.byteLength
          expect(paused).toBe(false)
          if (delivered > 100_000) {
            paused = true
            flooded.pause()
            firstBytes.resolve()
          }
        })
        flooded.onEnd(() => {})
        flooded.write(bytes('yes 0123456789012345678901234567890123456789\n'))
        await firstBytes.promise
        // Something else gets through meanwhile, so the pause is not merely slowness.
        for (let round = 0; round < 20; round++) {
          shell.write(bytes(`echo round-$((${round}+0))\n`))
          await says(new RegExp(`round-${round}\\r\\n`))
        }
        const held = delivered
        paused = false
        flooded.resume()
        await expect.poll(() => delivered, { timeout: 60_000 }).toBeGreaterThan(held)
        await flooded.kill()
        await shell.kill()
      })
      it('takes a paste of 200 kilobytes', async () => {
        const { shell, says } = await open('paste')
        shell.write(bytes('stty -echo -icanon; echo go-$((2+2)); head -c 200000 | wc -c; stty sane\n'))
        await says(/go-4\r?\n/)
        for (let sent = 0; sent < 200_000; sent += 1000) shell.write(bytes('z'.repeat(1000)))
        await says(/^200000\r?$/m)
        await shell.kill()
      })
      it('refuses a name that could be anything else', async () => {
        for (const id of ['', '../x', 'A', 'a b', 'x'.repeat(65)])
          expect(await codeOf(cluster.shell('workstation', { id, size }))).toBe('bad-request')
        expect(await codeOf(cluster.shell('worker-9', { id: 'x', size }))).toBe('not-found')
      })
    })

    part('probe', () => {
      it('finds the API server open', async () => {
        const result = await cluster.probe('worker-1', { kind: 'tcp', host: cluster.nodes[0]!.name, port: 6443 })
        expect(result).toMatchObject({ outcome: 'open' })
        expect(result.detail).not.toBe('')
      })
      it('finds a closed port refused', async () => {
        expect(
          await cluster.probe('worker-1', { kind: 'tcp', host: cluster.nodes[1]!.address, port: contract.closedPort ?? 6444 }),
        ).toMatchObject({ outcome: 'refused' })
      })
      it('resolves names, and tells one that is not there', async () => {
        const found = await cluster.probe('worker-2', { kind: 'dns', name: cluster.nodes[0]!.name })
        expect(found).toMatchObject({ outcome: 'answered', addresses: [cluster.nodes[0]!.address] })
        expect((await cluster.probe('worker-2', { kind: 'dns', name: 'no-such-name.invalid', timeoutMs: 5000 })).outcome).toMatch(
          /^(nxdomain|servfail|refused)$/,
        )
      })
      it('says that a pod is not there instead of looking elsewhere', async () => {
        expect(await codeOf(cluster.probe({ namespace: 'default', pod: 'no-such-pod' }, { kind: 'tcp', host: '127.0.0.1', port: 1 }))).toBe(
          'not-found',
        )
      })
    })

    part('api', () => {
      it('is reached by client-node: create, watch, change, delete', async () => {
        const config = new KubeConfig()
        config.loadFromString(cluster.kubeconfig)
        const core = config.makeApiClient(CoreV1Api)
        expect((await core.listNode()).items.map((node) => node.metadata?.name).sort()).toEqual(
          cluster.nodes.map((node) => node.name).sort(),
        )
        const seen: string[] = []
        const deleted = Promise.withResolvers<void>()
        const watch = await new Watch(config).watch(
          '/api/v1/namespaces/default/configmaps',
          { fieldSelector: 'metadata.name=contract' },
          (type, object) => {
            seen.push(`${type} ${object.data?.word}`)
            if (type === 'DELETED') deleted.resolve()
          },
          () => {},
        )
        await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'contract' }, data: { word: 'one' } } })
        const object = await core.readNamespacedConfigMap({ namespace: 'default', name: 'contract' })
        await core.replaceNamespacedConfigMap({ namespace: 'default', name: 'contract', body: { ...object, data: { word: 'two' } } })
        await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'contract' })
        await deleted.promise
        watch.abort()
        expect(seen).toEqual(['ADDED one', 'MODIFIED two', 'DELETED two'])
      })
    })

    part('baseline', () => {
      it('is returned to: objects, files of nodes, and what was added', async () => {
        const config = new KubeConfig()
        config.loadFromString(cluster.kubeconfig)
        const core = config.makeApiClient(CoreV1Api)
        await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'before' }, data: { word: 'one' } } })
        await cluster.writeFile('worker-1', '/etc/contract-before', bytes('one'))
        const before = await cluster.baseline(never)
        expect(await cluster.baseline(never)).toEqual(before)
        expect(Object.keys(before.parts).length).toBeGreaterThan(2)

        await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'before' })
        await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'after' }, data: {} } })
        await cluster.writeFile('worker-1', '/etc/contract-before', bytes('two'))
        await cluster.writeFile('worker-2', '/etc/contract-after', bytes('new'))
        await cluster.writeFile('workstation', '/home/candidate/contract-note', bytes('mine'))

        expect(await cluster.restore(never)).toEqual(before)
        expect((await core.listNamespacedConfigMap({ namespace: 'default' })).items.map((item) => item.metadata?.name)).toContain('before')
        expect((await core.listNamespacedConfigMap({ namespace: 'default' })).items.map((item) => item.metadata?.name)).not.toContain(
          'after',
        )
        expect(utf8(await cluster.readFile('worker-1', '/etc/contract-before'))).toBe('one')
        expect(await codeOf(cluster.readFile('worker-2', '/etc/contract-after'))).toBe('not-found')
        expect(utf8(await cluster.readFile('workstation', '/home/candidate/contract-note'))).toBe('mine')
        expect(await cluster.health()).toEqual({ state: 'ok' })

        await cluster.restore(never, { home: true })
        expect(await codeOf(cluster.readFile('workstation', '/home/candidate/contract-note'))).toBe('not-found')
      })
    })

    part('diagnostics', () => {
      it('are texts, with no secret in them', async () => {
        const { summary, files } = await cluster.diagnostics(never)
        expect(summary).toContain(cluster.id)
        const all = files.map((file) => file.text).join('\n')
        expect(all).not.toMatch(/PRIVATE KEY|client-key-data: [A-Za-z0-9+/]{20}/)
      })
    })

    part('adopt', () => {
      it('gives it to a server that starts anew, usable, and its shells go on', async () => {
        const shell = await cluster.shell('workstation', { id: 'survivor', size: { cols: 80, rows: 24 } })
        const before = listen(shell)
        shell.write(bytes('word=kept; echo set-$((1+0))\n'))
        await before.says(/set-1/)
        await shell.detach()
        const again = await contract.provider()
        const adopted: Cluster[] = []
        for await (const one of again.adopt()) adopted.push(one)
        expect(adopted.map((one) => one.id)).toEqual([cluster.id])
        const other = adopted[0]!
        expect(other.nodes).toEqual(cluster.nodes)
        expect(await other.health()).toEqual({ state: 'ok' })
        const reattached = await other.shell('workstation', { id: 'survivor', size: { cols: 80, rows: 24 } })
        const after = listen(reattached)
        reattached.write(bytes('echo "still $word"\n'))
        await after.says(/still kept/)
        await reattached.kill()
      })
    })

    part('suspension', () => {
      it('ends what runs in shells and loses nothing else; nothing is done in it meanwhile', async () => {
        if (cluster.suspend === undefined || cluster.resume === undefined) {
          expect([cluster.suspend, cluster.resume]).toEqual([undefined, undefined])
          return
        }
        const config = new KubeConfig()
        config.loadFromString(cluster.kubeconfig)
        await config
          .makeApiClient(CoreV1Api)
          .createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'night' }, data: { word: 'kept' } } })
        await cluster.writeFile('worker-1', '/etc/contract-night', bytes('kept'))
        await cluster.resume()
        const shell = await cluster.shell('workstation', { id: 'night', size: { cols: 80, rows: 24 } })
        const heard = listen(shell)
        shell.write(bytes('word=lost; echo set-$((1+0))\n'))
        await heard.says(/set-1/)
        await cluster.suspend()
        await cluster.suspend()
        expect(await heard.ends()).toMatchObject({ kind: 'lost' })
        expect(await codeOf(cluster.exec('worker-1', ['true']))).toBe('backend-unavailable')
        expect(await codeOf(cluster.shell('workstation', { id: 'night', size: { cols: 80, rows: 24 } }))).toBe('backend-unavailable')
        expect(await cluster.health()).toMatchObject({ state: 'backend-gone' })
        await Promise.all([cluster.resume(), cluster.resume()])
        expect(utf8(await cluster.readFile('worker-1', '/etc/contract-night'))).toBe('kept')
        // Its address may be another one now.
        const again = new KubeConfig()
        again.loadFromString(cluster.kubeconfig)
        const kept = await again.makeApiClient(CoreV1Api).readNamespacedConfigMap({ namespace: 'default', name: 'night' })
        expect(kept.data).toEqual({ word: 'kept' })
        const anew = await cluster.shell('workstation', { id: 'night', size: { cols: 80, rows: 24 } })
        const after = listen(anew)
        anew.write(bytes('echo "now ${word:-gone}"\n'))
        await after.says(/now gone/)
        await anew.kill()
      })
    })

    it('leaves nothing when destroyed, twice is once', async () => {
      await cluster.destroy()
      await cluster.destroy()
      await contract.nothingLeft(cluster.id)
      expect(await codeOf(cluster.exec('worker-1', ['true']))).toBe('not-found')
      const ids: string[] = []
      for await (const one of (await contract.provider()).adopt()) ids.push(one.id)
      expect(ids).toEqual([])
    })
  })
}

/** Waits until no process with `sleep <mark>` runs on worker-1. */
async function gone(cluster: Cluster, mark: string): Promise<void> {
  await expect
    .poll(async () => (await cluster.exec('worker-1', ['sh', '-c', `ps -eo args | grep -c "^sleep ${mark}" || true`])).stdout.trim(), {
      timeout: 30_000,
      interval: 200,
    })
    .toBe('0')
}
