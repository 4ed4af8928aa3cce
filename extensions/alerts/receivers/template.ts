import { labelsOf, type Message, type Sender, statusOf, timestamp } from './message.ts'

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g

/** What a placeholder stands for. Text goes in as it stands inside quotes of JSON, `labels` as an object. */
export const PLACEHOLDERS = {
  status: ({ alert }) => quoted(statusOf(alert)),
  event: ({ occasion }) => quoted(occasion),
  id: ({ alert }) => quoted(alert.id),
  alertname: ({ alert }) => quoted(alert.name),
  severity: ({ alert }) => quoted(alert.severity),
  component: ({ alert }) => quoted(alert.labels.component ?? ''),
  group: ({ alert }) => quoted(alert.labels.group ?? ''),
  process: ({ alert }) => quoted(alert.labels.process ?? ''),
  instance: (_, { instance }) => quoted(instance),
  summary: ({ alert }) => quoted(alert.summary),
  description: ({ alert }) => quoted(alert.description),
  starts_at: ({ alert }) => timestamp(alert.startedAt),
  ends_at: ({ alert }) => (alert.endedAt === undefined ? '' : timestamp(alert.endedAt)),
  labels: ({ alert }, sender) => JSON.stringify(labelsOf(alert, sender)),
} satisfies Readonly<Record<string, (message: Message, sender: Sender) => string>>

/** Puts values for placeholders. What a value holds is never read as a placeholder. */
export function fillTemplate(template: string, message: Message, sender: Sender): string {
  return template.replaceAll(PLACEHOLDER, (whole, name: string) => {
    const value = Object.hasOwn(PLACEHOLDERS, name)
      ? PLACEHOLDERS[name as keyof typeof PLACEHOLDERS]
      : undefined
    return value === undefined ? whole : value(message, sender)
  })
}

/** What is wrong with a template, if something is. */
export function problemOfTemplate(template: string, contentType: string): string | undefined {
  for (const [whole, name] of template.matchAll(PLACEHOLDER)) {
    if (!Object.hasOwn(PLACEHOLDERS, name)) {
      return `unknown placeholder ${whole}, expected one of ${Object.keys(PLACEHOLDERS).join(', ')}`
    }
  }
  if (!/\bjson\b/i.test(contentType)) return undefined
  try {
    JSON.parse(fillTemplate(template, TRIAL, { instance: 'a', labels: {} }))
    return undefined
  } catch (error) {
    return `makes no JSON: ${(error as Error).message}; text stands in quotes, {{labels}} without`
  }
}

/** An alert with everything that may stand in one, and needs care. */
const TRIAL: Message = {
  occasion: 'resolved',
  alert: {
    id: 'a',
    name: 'a',
    labels: { component: 'a', group: 'a' },
    severity: 'warning',
    summary: '"\\\n{{summary}}',
    description: '"\\\n',
    startedAt: 0,
    endedAt: 1,
  },
}

function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}
