import { describe, expect, it } from 'vitest'
import type { Alert } from '../../../extensions/alerts/alert.ts'
import { bodyFor } from '../../../extensions/alerts/receivers/bodies.ts'
import type { Message } from '../../../extensions/alerts/receivers/message.ts'
import {
  fillTemplate,
  PLACEHOLDERS,
  problemOfTemplate,
} from '../../../extensions/alerts/receivers/template.ts'

const SENDER = { instance: 'gw-1', labels: { cluster: 'eu', instance: 'ignored' } }
const ALERT: Alert = {
  id: '0123456789abcdef',
  name: 'SluiceRedisMayEvict',
  labels: { component: 'connector/redis' },
  severity: 'critical',
  summary: 'Redis "main" <may> delete & evict',
  description: 'It may.\nSet noeviction.',
  startedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
}
const FIRING: Message = { occasion: 'firing', alert: ALERT }
const RESOLVED: Message = {
  occasion: 'resolved',
  alert: { ...ALERT, endedAt: Date.UTC(2026, 0, 2, 4, 0, 0) },
}

function made(format: 'json' | 'slack' | 'pagerduty', message: Message): unknown {
  return JSON.parse(bodyFor({ format, routing_key: 'R0UT1NG', body: undefined }, message, SENDER))
}

describe('the body for Slack', () => {
  it('is a line, with what it means and where as an attachment', () => {
    expect(made('slack', FIRING)).toEqual({
      text: '[CRITICAL] SluiceRedisMayEvict: Redis "main" &lt;may&gt; delete &amp; evict',
      attachments: [
        {
          color: '#d0021b',
          text: 'It may.\nSet noeviction.',
          fields: [
            { title: 'cluster', value: 'eu', short: true },
            { title: 'instance', value: 'gw-1', short: true },
            { title: 'component', value: 'connector/redis', short: true },
          ],
          footer: 'Sluice',
          ts: 1767323045,
        },
      ],
    })
  })

  it.each<[Message, string, string]>([
    [{ ...FIRING, occasion: 'severity', before: 'warning' }, '[WARNING → CRITICAL]', '#d0021b'],
    [{ ...FIRING, occasion: 'repeat' }, '[STILL CRITICAL]', '#d0021b'],
    [RESOLVED, '[RESOLVED]', '#2e8b57'],
    [{ occasion: 'firing', alert: { ...ALERT, severity: 'warning' } }, '[WARNING]', '#f5a623'],
  ])('says what has happened: $occasion', (message, beginning, color) => {
    const body = made('slack', message) as { text: string; attachments: { color: string }[] }

    expect(body.text.startsWith(`${beginning} SluiceRedisMayEvict: `)).toBe(true)
    expect(body.attachments[0].color).toBe(color)
  })
})

describe('the body for PagerDuty', () => {
  it('triggers an incident', () => {
    expect(made('pagerduty', FIRING)).toEqual({
      routing_key: 'R0UT1NG',
      dedup_key: 'sluice/gw-1/0123456789abcdef',
      event_action: 'trigger',
      client: 'Sluice',
      payload: {
        summary: 'SluiceRedisMayEvict: Redis "main" <may> delete & evict',
        source: 'gw-1',
        severity: 'critical',
        timestamp: '2026-01-02T03:04:05.000Z',
        component: 'connector/redis',
        class: 'SluiceRedisMayEvict',
        custom_details: {
          cluster: 'eu',
          instance: 'gw-1',
          component: 'connector/redis',
          alertname: 'SluiceRedisMayEvict',
          severity: 'critical',
          description: 'It may.\nSet noeviction.',
        },
      },
    })
  })

  it('resolves that same incident', () => {
    expect(made('pagerduty', RESOLVED)).toEqual({
      routing_key: 'R0UT1NG',
      dedup_key: 'sluice/gw-1/0123456789abcdef',
      event_action: 'resolve',
    })
  })

  it('keeps to the limits of the API', () => {
    const alert = { ...ALERT, summary: 'x'.repeat(5000) }
    const sender = { instance: 'y'.repeat(500), labels: {} }
    const body = JSON.parse(
      bodyFor(
        { format: 'pagerduty', routing_key: 'R', body: undefined },
        { occasion: 'firing', alert },
        sender,
      ),
    ) as { dedup_key: string; payload: { summary: string } }

    expect(body.dedup_key.length).toBeLessThanOrEqual(255)
    expect(body.payload.summary).toHaveLength(1024)
  })
})

describe('the body as JSON', () => {
  it('holds everything', () => {
    expect(made('json', { ...RESOLVED })).toEqual({
      status: 'resolved',
      event: 'resolved',
      id: '0123456789abcdef',
      labels: {
        alertname: 'SluiceRedisMayEvict',
        severity: 'critical',
        component: 'connector/redis',
        instance: 'gw-1',
        cluster: 'eu',
      },
      annotations: { summary: ALERT.summary, description: ALERT.description },
      starts_at: '2026-01-02T03:04:05.000Z',
      ends_at: '2026-01-02T04:00:00.000Z',
    })
  })

  it('tells what the severity was', () => {
    expect(made('json', { ...FIRING, occasion: 'severity', before: 'warning' })).toMatchObject({
      status: 'firing',
      event: 'severity',
      severity_before: 'warning',
    })
  })
})

describe('a template', () => {
  it('takes every placeholder, with values that cannot leave their quotes', () => {
    const names = Object.keys(PLACEHOLDERS).filter((name) => name !== 'labels')
    const template = `{${names.map((name) => `"${name}": "{{ ${name} }}"`).join(', ')}, "labels": {{labels}}}`

    expect(JSON.parse(fillTemplate(template, RESOLVED, SENDER))).toMatchObject({
      status: 'resolved',
      alertname: 'SluiceRedisMayEvict',
      group: '',
      summary: ALERT.summary,
      description: ALERT.description,
      ends_at: '2026-01-02T04:00:00.000Z',
      labels: { severity: 'critical', cluster: 'eu' },
    })
  })

  it('does not read what a value holds as a placeholder or a pattern', () => {
    const alert = { ...ALERT, summary: "{{id}} $& $1 $'" }

    expect(fillTemplate('{{summary}}', { occasion: 'firing', alert }, SENDER)).toBe("{{id}} $& $1 $'")
  })

  it.each([
    [
      '{"text": "{{sumary}}"}',
      'application/json',
      /^unknown placeholder \{\{sumary\}\}, expected one of status, /,
    ],
    ['{"text": "{{constructor}}"}', 'application/json', /^unknown placeholder/],
    ['{"text": {{summary}}}', 'application/json', /^makes no JSON: /],
    ['{"labels": "{{labels}}"}', 'application/json; charset=utf-8', /^makes no JSON: /],
  ])('%s is refused', (template, contentType, problem) => {
    expect(problemOfTemplate(template, contentType)).toMatch(problem)
  })

  it.each([
    ['{"text": "{{summary}}", "labels": {{labels}}}', 'application/json'],
    ['{{severity}}: {{summary}}', 'text/plain'],
    ['{"nested": {"text": "{{id}}"}}', 'application/json'],
  ])('%s is taken', (template, contentType) => {
    expect(problemOfTemplate(template, contentType)).toBeUndefined()
  })
})
