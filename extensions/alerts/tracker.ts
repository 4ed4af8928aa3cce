import { type Alert, type Change, type Finding, identify, SEVERITIES, type Severity } from './alert.ts'
import { Latch } from './latch.ts'

/** The part of a rule that matters for when its findings become alerts. */
export interface Tracked {
  readonly name: string
  readonly description: string
  /** How long a trouble lasts before it is an alert. */
  readonly forMs: number
}

interface Entry {
  readonly id: string
  readonly rule: Tracked
  readonly latches: ReadonlyMap<Severity, Latch>
  finding: Finding
  alert: Alert | undefined
}

/** Makes alerts of what rules find, one for each set of labels, and dampens what comes and goes. */
export class Tracker {
  readonly #keepMs: number
  readonly #entries = new Map<string, Entry>()

  /** An alert lasts until nothing was found for `keepMs`. */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  /** The alerts that last. */
  get firing(): Alert[] {
    return [...this.#entries.values()].flatMap(({ alert }) => alert ?? [])
  }

  /** Takes everything that is wrong at `now`, milliseconds since 1970. Returns what that changes. */
  update(found: readonly (readonly [Tracked, Finding])[], now: number): Change[] {
    const current = new Map<string, Finding>()
    for (const [rule, finding] of found) {
      const id = identify(rule.name, finding.labels)
      const known = current.get(id)
      if (known && rank(known.severity) >= rank(finding.severity)) continue
      current.set(id, finding)
      const entry = this.#entries.get(id) ?? newEntry(id, rule, finding)
      entry.finding = finding
      this.#entries.set(id, entry)
    }
    return [...this.#entries.values()].flatMap((entry) => this.#advance(entry, current.get(entry.id), now))
  }

  #advance(entry: Entry, finding: Finding | undefined, now: number): Change[] {
    const { id, rule, latches } = entry
    const times = { forMs: rule.forMs, keepMs: this.#keepMs }
    const level = finding === undefined ? -1 : rank(finding.severity)
    // A grave trouble is a mild one, too: each severity is on while what is found is at least as bad.
    const on = SEVERITIES.filter((severity) =>
      latches.get(severity)?.update(level >= rank(severity), now, times),
    )
    const severity = on.at(-1)
    const before = entry.alert
    if (severity === undefined) {
      entry.alert = undefined
      if ([...latches.values()].every(({ isIdle }) => isIdle)) this.#entries.delete(id)
      return before ? [{ occasion: 'resolved', alert: { ...before, endedAt: now } }] : []
    }
    const { labels, summary } = entry.finding
    const { name, description } = rule
    const alert = { id, name, labels, severity, summary, description, startedAt: before?.startedAt ?? now }
    entry.alert = alert
    if (before === undefined) return [{ occasion: 'firing', alert }]
    return before.severity === severity ? [] : [{ occasion: 'severity', alert, before: before.severity }]
  }
}

function newEntry(id: string, rule: Tracked, finding: Finding): Entry {
  const latches = new Map(SEVERITIES.map((severity) => [severity, new Latch()]))
  return { id, rule, latches, finding, alert: undefined }
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
