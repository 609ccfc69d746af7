// Which certificate the kubelet shows, and how it comes by another: with real files and an API server whose answers the test gives.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { testServer } from '../api/fixture.ts'
import { filesBelow } from '../node/files.ts'
import { readKubeconfig } from '../node/kubeconfig.ts'
import { certificates, type Issued, issue, readRequest, subjectOf } from '../pki.ts'
import { random } from '../random.ts'
import { ClientCertificates } from './certificates.ts'

let end = () => {}
afterEach(() => end())
const path = '/etc/kubernetes/kubelet.conf'
const bootstrap = '/etc/kubernetes/bootstrap-kubelet.conf'
const current = '/var/lib/kubelet/pki/kubelet-client-current.pem'
const csrs = 'certificates.k8s.io/v1/certificatesigningrequests'
const day = 86_400_000

function kubelet() {
  const directory = mkdtempSync(join(tmpdir(), 'kubelet-'))
  const files = filesBelow(directory)
  const { clock, client } = testServer()
  const now = clock.now()
  const ca = issue({ subject: { commonName: 'kubernetes' }, ca: true, now })
  const of = (days: number, commonName = 'system:node:node-1') =>
    issue({
      subject: { commonName, organizations: ['system:nodes'] },
      usages: ['clientAuth'],
      now: now - 90 * day,
      lifetime: (90 + days) * day,
      issuer: ca,
    })
  const data = (text: string) => Buffer.from(text).toString('base64')
  const conf = (user: object) =>
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'https://node-0:6443', 'certificate-authority-data': data(ca.cert) } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    })
  const store = (issued: Issued) => files.write(current, `${issued.cert}${issued.key}`)
  const byFile = () => files.write(path, conf({ 'client-certificate': current, 'client-key': current }))
  const inline = (issued: Issued) =>
    files.write(path, conf({ 'client-certificate-data': data(issued.cert), 'client-key-data': data(issued.key) }))
  const log: string[] = []
  const asked: string[] = []
  let running: ClientCertificates | undefined
  const start = () => {
    running?.stop()
    running = new ClientCertificates({
      files,
      clock,
      random: random(3),
      config: { kubeconfig: path, bootstrapKubeconfig: bootstrap, certDirectory: '/var/lib/kubelet/pki', hostname: 'node-1' },
      connect: (of) => {
        asked.push(of)
        return client
      },
      log: (_severity, _file, text) => log.push(text),
    })
    return running
  }
  /** what the controllers of a cluster do with a request */
  const sign = async () => {
    await clock.skip(() => client.list(csrs).items.length > 0, 10_000)
    const csr = client.list(csrs).items.at(-1)
    const { subject, publicKey } = readRequest(Buffer.from(csr?.spec.request, 'base64').toString())
    const { cert } = issue({ subject, publicKey, usages: ['clientAuth'], now: clock.now(), issuer: ca })
    client.update(csrs, { ...csr, status: { certificate: data(cert) } }, { subresource: 'status' })
    return csr
  }
  end = () => {
    running?.stop()
    clock.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  return { files, clock, client, of, conf, store, byFile, inline, log, asked, start, sign }
}
const name = (one: ClientCertificates) => {
  const found = one.current()
  return found && subjectOf(found.certificate).commonName
}

test('an expired one is as none: without a bootstrap file the kubelet ends', () => {
  const node = kubelet()
  node.store(node.of(-2))
  node.byFile()
  expect(node.start).toThrow('unable to load bootstrap kubeconfig: stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or directory')
  expect(node.log).toEqual([
    '"Unhandled Error" err="part of the existing bootstrap client certificate in /etc/kubernetes/kubelet.conf is expired: 2025-12-30 00:00:00 +0000 UTC" logger="UnhandledError"',
  ])
})

test('what it keeps itself comes before what the kubeconfig holds, until it has expired', async () => {
  const node = kubelet()
  node.store(node.of(2, 'system:node:kept'))
  node.inline(node.of(200))
  const kept = node.start()
  expect(name(kept)).toBe('system:node:kept')
  await node.clock.skip(() => kept.current() === undefined, 3 * day)
  expect(name(kept)).toBeUndefined()
  expect(name(node.start())).toBe('system:node:node-1')
})

test('one from the kubeconfig alone is stored, and another is asked for at once', async () => {
  const node = kubelet()
  node.inline(node.of(200))
  const one = node.start()
  const first = one.current()
  expect(certificates(node.files.text(current) ?? '')[0]?.serialNumber).toBe(first?.certificate.serialNumber)
  const csr = await node.sign()
  expect(csr?.spec).toMatchObject({
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
  })
  expect(node.asked).toEqual([path])
  expect(await node.clock.skip(() => one.current() !== first, 5000)).toBe(true)
  expect(certificates(node.files.text(current) ?? '')[0]?.serialNumber).toBe(one.current()?.certificate.serialNumber)
})

test('with a bootstrap token it comes by the first one, and writes its kubeconfig', async () => {
  const node = kubelet()
  node.files.write(bootstrap, node.conf({ token: 'abcdef.0123456789abcdef' }))
  const one = node.start()
  expect(one.current()).toBeUndefined()
  await node.sign()
  expect(node.asked).toEqual([bootstrap])
  expect(await node.clock.skip(() => one.current() !== undefined, 5000)).toBe(true)
  expect(name(one)).toBe('system:node:node-1')
  expect(readKubeconfig(node.files, path).client?.expires).toBe(one.current()?.expires)
})
