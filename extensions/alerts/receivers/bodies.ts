import type { WebhookConfig } from './config.ts'
import { labelsOf, type Message, type Sender, statusOf, timestamp } from './message.ts'
import { fillTemplate } from './template.ts'

const COLORS = { critical: '#d0021b', warning: '#f5a623', resolved: '#2e8b57' }
/** PagerDuty takes no longer summary. */
const PAGERDUTY_SUMMARY = 1024

/** The body that a webhook expects. */
export function bodyFor(
  { format, routing_key = '', body = '' }: Pick<WebhookConfig, 'format' | 'routing_key' | 'body'>,
  message: Message,
  sender: Sender,
): string {
  if (format === 'custom') return fillTemplate(body, message, sender)
  if (format === 'slack') return JSON.stringify(slack(message, sender))
  if (format === 'pagerduty') return JSON.stringify(pagerduty(message, sender, routing_key))
  return JSON.stringify(json(message, sender))
}

function json({ alert, occasion, before }: Message, sender: Sender): object {
  return {
    status: statusOf(alert),
    event: occasion,
    id: alert.id,
    severity_before: before,
    labels: labelsOf(alert, sender),
    annotations: { summary: alert.summary, description: alert.description },
    starts_at: timestamp(alert.startedAt),
    ends_at: alert.endedAt === undefined ? undefined : timestamp(alert.endedAt),
  }
}

/** A message with an attachment, as incoming webhooks take it. */
function slack({ alert, occasion, before }: Message, sender: Sender): object {
  const status = statusOf(alert)
  const words = {
    firing: alert.severity.toUpperCase(),
    severity: `${before?.toUpperCase()} → ${alert.severity.toUpperCase()}`,
    repeat: `STILL ${alert.severity.toUpperCase()}`,
    resolved: 'RESOLVED',
  }
  const { alertname, severity: _, ...labels } = labelsOf(alert, sender)
  return {
    text: escapeSlack(`[${words[occasion]}] ${alertname}: ${alert.summary}`),
    attachments: [
      {
        color: COLORS[status === 'resolved' ? 'resolved' : alert.severity],
        text: escapeSlack(alert.description),
        fields: Object.entries(labels).map(([title, value]) => ({
          title,
          value: escapeSlack(value),
          short: true,
        })),
        footer: 'Sluice',
        ts: Math.floor((alert.endedAt ?? alert.startedAt) / 1000),
      },
    ],
  }
}

/** An event of the Events API v2: the same trouble has the same `dedup_key`, whatever its severity. */
function pagerduty({ alert }: Message, sender: Sender, routingKey: string): object {
  const event = { routing_key: routingKey, dedup_key: dedupKey(alert.id, sender) }
  if (statusOf(alert) === 'resolved') return { ...event, event_action: 'resolve' }
  const { component, group } = alert.labels
  return {
    ...event,
    event_action: 'trigger',
    client: 'Sluice',
    payload: {
      summary: `${alert.name}: ${alert.summary}`.slice(0, PAGERDUTY_SUMMARY),
      source: sender.instance,
      severity: alert.severity,
      timestamp: timestamp(alert.startedAt),
      component,
      group,
      class: alert.name,
      custom_details: { ...labelsOf(alert, sender), description: alert.description },
    },
  }
}

/** Two Sluices with the same trouble have two incidents. At most 255 characters. */
function dedupKey(id: string, { instance }: Sender): string {
  return `sluice/${instance.slice(0, 200)}/${id}`
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
