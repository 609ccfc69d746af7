// For tests and benches: the HTTP API as a page would ask it, and the session's socket. Knows nothing of how the server was started.
import type { ScenarioCard, SessionView } from '#lib/protocol/index.ts'
import { Page } from './page.ts'

export class Client {
  url: string
  /** sent with every request, e.g. a cookie */
  readonly headers: Record<string, string>
  constructor(url: string, headers: Record<string, string> = {}) {
    this.url = url
    this.headers = headers
  }
  async get<T>(target: string): Promise<T> {
    const response = await fetch(this.url + target, { headers: this.headers })
    if (!response.ok) throw new Error(`GET ${target}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  send(method: string, target: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + target, {
      method,
      headers: { origin: this.url, 'content-type': 'application/json', ...this.headers, ...headers },
      body: JSON.stringify(body),
    })
  }
  async post<T>(target: string, body: unknown = {}): Promise<T> {
    const response = await this.send('POST', target, body)
    if (!response.ok) throw new Error(`POST ${target}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
  /** The card whose English title is this. */
  async scenario(title: string): Promise<ScenarioCard> {
    const { scenarios } = await this.get<{ scenarios: ScenarioCard[] }>('/api/catalogue')
    const card = scenarios.find((one) => one.title.en === title)
    if (card === undefined) throw new Error(`no scenario "${title}" among ${scenarios.map((one) => one.title.en).join(', ')}`)
    return card
  }
  /** Starts a scenario by its English title. */
  async begin(title: string, seed = 'e2e'): Promise<string> {
    const { id } = await this.post<{ id: string }>('/api/sessions', { scenario: (await this.scenario(title)).id, seed })
    return id
  }
  session(id: string): Promise<SessionView> {
    return this.get(`/api/sessions/${id}`)
  }
  act(id: string, type: string): Promise<unknown> {
    return this.post(`/api/sessions/${id}/actions`, { type })
  }
  /** A page's socket to a session. */
  async open(id: string, options: { after?: number; autoAck?: boolean } = {}): Promise<Page> {
    const { ticket } = await this.post<{ ticket: string }>(`/api/sessions/${id}/ticket`)
    return Page.connect(
      `${this.url.replace('http', 'ws')}/ws/session/${id}?ticket=${ticket}${options.after === undefined ? '' : `&after=${options.after}`}`,
      this.url,
      options,
    )
  }
}
