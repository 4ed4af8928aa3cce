import type { Alert, Labels, Occasion, Severity } from '../alert.ts'

/** One thing that a webhook is told. */
export interface Message {
  readonly occasion: Occasion
  readonly alert: Alert
  /** What the severity was, where it has changed. */
  readonly before?: Severity | undefined
}

/** What all alerts of this Sluice carry. */
export interface Sender {
  readonly instance: string
  readonly labels: Labels
}

/** All labels of an alert; its own go before those of the config. */
export function labelsOf({ name, severity, labels }: Alert, sender: Sender): Labels {
  return { ...sender.labels, instance: sender.instance, ...labels, alertname: name, severity }
}

export function statusOf({ endedAt }: Alert): 'firing' | 'resolved' {
  return endedAt === undefined ? 'firing' : 'resolved'
}

/** RFC 3339, as every receiver reads it. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString()
}
