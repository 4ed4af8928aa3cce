import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Alert, Change } from '../../../extensions/alerts/alert.ts'
import { Alertmanager } from '../../../extensions/alerts/receivers/alertmanager.ts'
import { AlertmanagerSettings, WebhookSettings } from '../../../extensions/alerts/receivers/config.ts'
import { Poster } from '../../../extensions/alerts/receivers/http.ts'
import type { Receiver } from '../../../extensions/alerts/receivers/receiver.ts'
import { Webhook } from '../../../extensions/alerts/receivers/webhook.ts'
import { startWebServer, type WebServer } from './web-server.ts'

const QUICK = { retry_on_failure: { initial_interval: '10ms', max_interval: '20ms' } }
const NOW = Date.UTC(2026, 0, 1)
const SENDER = { instance: 'gw-1', labels: {} }

function alertOf(id: string, more: Partial<Alert> = {}): Alert {
  const texts = { summary: `${id} is wrong`, description: 'Repair it.' }
  return {
    id,
    name: 'SluiceTrouble',
    labels: { group: id },
    severity: 'warning',
    startedAt: NOW,
    ...texts,
    ...more,
  }
}

/** Counts and keeps what is said of telling. */
function note() {
  const counts: Record<string, number> = {}
  const warnings: string[] = []
  const telling = {
    count: (outcome: string) => void (counts[outcome] = (counts[outcome] ?? 0) + 1),
    warn: (_: string, error: unknown) => void warnings.push((error as Error).message),
  }
  return { counts, warnings, telling }
}

function stopAtTheEnd<R extends Receiver>(receiver: R, poster: Poster): R {
  onTestFinished(async () => {
    await receiver.stop()
    await poster.close()
  })
  return receiver
}

async function webServer(...answers: number[]): Promise<WebServer> {
  const server = await startWebServer(...answers)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

function webhook(url: string, more: object = {}) {
  const settings = WebhookSettings.parse({ url, ...QUICK, ...more })
  const poster = new Poster(settings)
  const noted = note()
  return {
    ...noted,
    hook: stopAtTheEnd(new Webhook({ settings, poster, sender: SENDER, telling: noted.telling }), poster),
  }
}

function alertmanager(url: string, more: object = {}) {
  const settings = AlertmanagerSettings.parse({ urls: [url], ...QUICK, ...more })
  const poster = new Poster(settings)
  const noted = note()
  const options = { url, settings, poster, sender: SENDER, telling: noted.telling, clock: () => NOW }
  return { ...noted, manager: stopAtTheEnd(new Alertmanager(options), poster) }
}

const begins = (alert: Alert): Change => ({ occasion: 'firing', alert })
const ends = (alert: Alert, endedAt = NOW): Change => ({ occasion: 'resolved', alert: { ...alert, endedAt } })
const heardBy = ({ heard }: WebServer) =>
  heard.map(({ body }) => body as { event: string; labels: { group: string; severity: string } })
const events = (server: WebServer) => heardBy(server).map(({ event, labels }) => `${event} ${labels.group}`)

describe('a webhook', () => {
  it('is told again until it takes the message', async () => {
    const server = await webServer(500, 503, 429, 200)
    const { hook, counts, warnings } = webhook(`${server.url}/hook`)

    hook.tell({ now: NOW, firing: [], changes: [begins(alertOf('a'))] })
    await expect.poll(() => counts).toEqual({ failed: 3, sent: 1 })

    expect(events(server)).toEqual(['firing a', 'firing a', 'firing a', 'firing a'])
    expect(warnings[0]).toBe(`${new URL(server.url).host} answered 500 because`)
  })

  it('is told of the next alert when it rejects one for good', async () => {
    const server = await webServer(400, 200)
    const { hook, counts } = webhook(server.url)

    hook.tell({ now: NOW, firing: [], changes: [begins(alertOf('a')), begins(alertOf('b'))] })
    await expect.poll(() => counts).toEqual({ rejected: 1, sent: 1 })

    expect(events(server)).toEqual(['firing a', 'firing b'])
  })

  it('hears again of what lasts, after the interval, and no more once it is over', async () => {
    const server = await webServer(200)
    const { hook, counts } = webhook(server.url, { repeat_interval: '1h' })
    const alert = alertOf('a')
    const after = (minutes: number, changes: readonly Change[], firing: readonly Alert[]) =>
      hook.tell({ now: NOW + minutes * 60_000, firing, changes })

    after(0, [begins(alert)], [alert])
    await expect.poll(() => counts.sent).toBe(1)
    after(59, [], [alert])
    after(60, [], [alert])
    await expect.poll(() => counts.sent).toBe(2)
    after(61, [], [alert])
    after(100, [ends(alert)], [])
    await expect.poll(() => counts.sent).toBe(3)
    after(300, [], [])
    after(301, [begins(alertOf('b'))], [])
    await expect.poll(() => counts.sent).toBe(4)

    expect(events(server)).toEqual(['firing a', 'repeat a', 'resolved a', 'firing b'])
  })

  it('that was down hears the last word about each alert', async () => {
    const server = await webServer(500)
    const { hook, counts } = webhook(server.url)
    const [a, b] = [alertOf('a'), alertOf('b')]
    hook.tell({ now: NOW, firing: [], changes: [begins(a), begins(b)] })
    await expect.poll(() => counts.failed).toBeGreaterThan(2)
    const worse: Change = { occasion: 'severity', alert: { ...b, severity: 'critical' }, before: 'warning' }
    hook.tell({ now: NOW, firing: [], changes: [ends(a), worse] })
    await expect.poll(() => counts.failed).toBeGreaterThan(6)

    const before = server.heard.length
    server.answers = [200]
    await expect.poll(() => counts.sent).toBe(2)
    await setImmediate()

    const last = heardBy(server)
      .slice(before - 1)
      .filter((_, index) => index > 0)
    expect(last.map(({ event, labels }) => `${event} ${labels.group} ${labels.severity}`).toSorted()).toEqual(
      ['firing b critical', 'resolved a warning'],
    )
  })

  it('that stays down is kept a bounded number of messages for', async () => {
    const server = await webServer(500)
    const { hook, counts } = webhook(server.url, { queue_size: 3 })

    for (let i = 0; i < 50; i++) hook.tell({ now: NOW, firing: [], changes: [begins(alertOf(`${i}`))] })
    expect(counts.dropped).toBeGreaterThanOrEqual(46)
    server.answers = [200]
    await expect.poll(() => counts.sent).toBeGreaterThanOrEqual(3)
    await setImmediate()

    expect(counts.sent + counts.dropped).toBe(50)
    expect(events(server)).toContain('firing 49')
  })

  it('that gives no answer is left after the timeout, and stopping does not wait for it', async () => {
    const server = await webServer(0)
    const { hook, counts, warnings } = webhook(server.url, { timeout: '50ms' })

    hook.tell({ now: NOW, firing: [], changes: [begins(alertOf('a'))] })
    await expect.poll(() => counts.failed).toBeGreaterThan(1)
    await hook.stop()

    expect(warnings[0]).toMatch(/no answer within 50 ms$/)
  })

  it.each([
    [{ headers: { 'x-key': 'abc' } }, { 'x-key': 'abc' }],
    [{ bearer_token: 'abc' }, { authorization: 'Bearer abc' }],
    [{ basic_auth: { username: 'me', password: 'pa:ss' } }, { authorization: `Basic ${btoa('me:pa:ss')}` }],
    [
      { format: 'custom', body: '{{severity}}', content_type: 'text/plain' },
      { 'content-type': 'text/plain' },
    ],
  ])('is told in the way it asks for: %j', async (settings, headers) => {
    const server = await webServer(200)
    const { hook, counts } = webhook(server.url, settings)

    hook.tell({ now: NOW, firing: [], changes: [begins(alertOf('a'))] })
    await expect.poll(() => counts.sent).toBe(1)

    expect(server.heard[0].headers).toMatchObject(headers)
  })

  it('never shows its URL or its answer in full', async () => {
    const { hook, counts, warnings } = webhook('http://user:secret@127.0.0.1:1/services/token')

    hook.tell({ now: NOW, firing: [], changes: [begins(alertOf('a'))] })
    await expect.poll(() => counts.failed).toBeGreaterThan(0)

    expect(warnings[0]).toContain('127.0.0.1:1: ')
    expect(warnings.join()).not.toMatch(/secret|token/)
  })

  it('says which file of a certificate is missing', () => {
    expect(() => webhook('https://localhost', { tls: { ca_file: '/nowhere/ca.pem' } })).toThrow(
      /^ca_file \/nowhere\/ca\.pem cannot be read: ENOENT/,
    )
  })
})

describe('an Alertmanager', () => {
  interface Posted {
    readonly labels: { readonly group: string; readonly severity: string }
    readonly startsAt: string
    readonly endsAt: string
  }
  const posts = ({ heard }: WebServer): string[][] =>
    heard.map(({ body }) =>
      (body as Posted[]).map(({ labels, endsAt }) => {
        const left = (Date.parse(endsAt) - NOW) / 60_000
        return `${labels.group} ${labels.severity} ${left}m`
      }),
    )

  it('is told when an alert begins, each minute that it lasts, and when it ends', async () => {
    const server = await webServer(200)
    const { manager, counts } = alertmanager(`${server.url}/prefix/`)
    const alert = alertOf('a')

    manager.tell({ now: NOW, firing: [alert], changes: [begins(alert)] })
    await expect.poll(() => counts.sent).toBe(1)
    manager.tell({ now: NOW + 59_000, firing: [alert], changes: [] })
    manager.tell({ now: NOW + 60_000, firing: [alert], changes: [] })
    await expect.poll(() => counts.sent).toBe(2)
    manager.tell({ now: NOW + 61_000, firing: [], changes: [ends(alert)] })
    await expect.poll(() => counts.sent).toBe(3)
    const other = alertOf('b')
    manager.tell({ now: NOW + 600_000, firing: [], changes: [] })
    manager.tell({ now: NOW + 600_000, firing: [other], changes: [begins(other)] })
    await expect.poll(() => counts.sent).toBe(4)

    expect(posts(server)).toEqual([['a warning 4m'], ['a warning 4m'], ['a warning 0m'], ['b warning 4m']])
    expect(server.heard[0]).toMatchObject({
      path: '/prefix/api/v2/alerts',
      body: [
        {
          labels: { alertname: 'SluiceTrouble', severity: 'warning', group: 'a', instance: 'gw-1' },
          annotations: { summary: 'a is wrong', description: 'Repair it.' },
          startsAt: '2026-01-01T00:00:00.000Z',
        },
      ],
    })
  })

  it('is told that a severity is over when another one begins', async () => {
    const server = await webServer(200)
    const { manager, counts } = alertmanager(server.url)
    const [mild, grave] = [alertOf('a'), alertOf('a', { severity: 'critical' })]

    manager.tell({ now: NOW, firing: [mild], changes: [begins(mild)] })
    await expect.poll(() => counts.sent).toBe(1)
    const change: Change = { occasion: 'severity', alert: grave, before: 'warning' }
    manager.tell({ now: NOW, firing: [grave], changes: [change] })
    await expect.poll(() => counts.sent).toBe(2)

    expect(posts(server)[1]).toEqual(['a warning 0m', 'a critical 4m'])
  })

  it('that was down hears how things are when it is back', async () => {
    const server = await webServer(500)
    const { manager, counts } = alertmanager(server.url)
    const [a, b, c] = [alertOf('a'), alertOf('b'), alertOf('c')]
    manager.tell({ now: NOW, firing: [a, b], changes: [begins(a), begins(b)] })
    await expect.poll(() => counts.failed).toBeGreaterThan(2)
    manager.tell({ now: NOW, firing: [b, c], changes: [ends(a), begins(c)] })
    server.answers = [200]
    await expect.poll(() => counts.sent).toBeGreaterThan(0)

    expect(posts(server).at(-1)).toEqual(['a warning 0m', 'b warning 4m', 'c warning 4m'])
  })

  it('is not told of an end twice', async () => {
    const server = await webServer(200)
    const { manager, counts } = alertmanager(server.url)
    const b = alertOf('b')
    manager.tell({ now: NOW, firing: [], changes: [ends(alertOf('a'))] })
    await expect.poll(() => counts.sent).toBe(1)
    manager.tell({ now: NOW, firing: [b], changes: [begins(b)] })
    await expect.poll(() => counts.sent).toBe(2)

    expect(posts(server)).toEqual([['a warning 0m'], ['b warning 4m']])
  })
})
