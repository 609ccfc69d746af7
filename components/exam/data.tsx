'use client'
// One's own data: out as a file, in from a file. Knows the file's form only as far as the browser's settings go.
import { Download, Upload } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useRef, useState } from 'react'
import { archive, archivedSettings, archiveLimits, imported } from '#lib/protocol/index.ts'
import { useAction } from '../action.ts'
import { request } from '../api.ts'
import { keepCookie } from '../chrome/preferences.tsx'
import { Failure } from '../failure.tsx'
import { useMessages } from '../i18n/index.tsx'
import { Button } from '../ui/button.tsx'
import { applySettings, settingsOf } from './settings.ts'

export function OwnData() {
  const m = useMessages()
  const router = useRouter()
  const { busy, error, run } = useAction()
  const [doing, setDoing] = useState<'export' | 'import'>('export')
  const [said, setSaid] = useState('')
  const picker = useRef<HTMLInputElement>(null)

  const exportIt = async () => {
    const file = await request('/api/data', archive)
    file.settings = settingsOf(document.cookie, window.localStorage)
    const address = URL.createObjectURL(new Blob([JSON.stringify(file)], { type: 'application/json' }))
    const link = document.createElement('a')
    link.href = address
    link.download = `kubemend-data-${new Date(file.exportedAt).toISOString().slice(0, 10)}.json`
    link.click()
    URL.revokeObjectURL(address)
    const left = file.leftOut.sessions + file.leftOut.drills
    setSaid(`${m.data.exported(file.sessions.length, file.drills.length)}${left > 0 ? ` ${m.data.leftOut(left)}` : ''}`)
  }
  const importIt = async (file: File) => {
    // One that is too large is not even read; the server says so in words.
    const text = file.size > archiveLimits.bytes ? ' '.repeat(archiveLimits.bytes + 1) : await file.text()
    const { drills, sessions } = await request('/api/data', imported, { method: 'POST', text })
    const settings = archivedSettings.safeParse((JSON.parse(text) as { settings?: unknown }).settings)
    if (settings.success) applySettings(settings.data, keepCookie, window.localStorage)
    setSaid(m.data.done(sessions.added, drills.added, sessions.known + drills.known))
    if (settings.success && settings.data.theme !== undefined) document.documentElement.dataset.theme = settings.data.theme
    router.refresh()
  }
  const start = (what: 'export' | 'import', work: () => Promise<void>) => {
    setDoing(what)
    setSaid('')
    run(work)
  }
  return (
    <section aria-labelledby="own-data" className="mt-12">
      <h2 id="own-data" className="text-base font-semibold">
        {m.data.title}
      </h2>
      <p className="mt-1 max-w-[70ch] text-text-2">{m.data.lead}</p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button disabled={busy} onClick={() => start('export', exportIt)}>
          <Download aria-hidden className="size-3.5" />
          {busy && doing === 'export' ? m.data.exporting : m.data.export}
        </Button>
        <Button disabled={busy} onClick={() => picker.current?.click()}>
          <Upload aria-hidden className="size-3.5" />
          {busy && doing === 'import' ? m.data.importing : m.data.import}
        </Button>
        <input
          ref={picker}
          type="file"
          accept="application/json,.json"
          aria-label={m.data.import}
          tabIndex={-1}
          className="sr-only"
          onChange={(event) => {
            const file = event.target.files?.[0]
            event.target.value = ''
            if (file) start('import', () => importIt(file))
          }}
        />
      </div>
      <p role="status" className="mt-2 text-text-2">
        {said}
      </p>
      {error === null ? null : (
        <div className="mt-2 overflow-hidden rounded-md">
          <Failure error={error} />
        </div>
      )}
    </section>
  )
}
