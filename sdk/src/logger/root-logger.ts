import type { Diagnostics } from '../diagnostics.ts'
import type { Settings } from '../options/settings.ts'
import type { Scope } from '../pipe/sink.ts'
import type { EventMap } from './events.ts'
import type { LogSink } from './log-sink.ts'
import type { Logger } from './logger.ts'
import { Recorder } from './recorder.ts'
import { ScopedLogger } from './scoped-logger.ts'
import type { StandardSchema } from './standard-schema.ts'

const MAX_SCOPES = 1000

/** What a root logger and all its children share. */
export interface Root {
  readonly sink: LogSink
  readonly recorder: Recorder
  readonly diagnostics: Diagnostics
  readonly schemas: ReadonlyMap<string, StandardSchema>
  /** Whether calls are to be followed to where they stand. */
  readonly code: boolean
  readonly disabled: boolean
  /** The scope of a name and version, the service's without one: one object, however many children have it. */
  scope(name: string, version?: string): Scope
}

/** The logger that all others of these settings are children of. */
export function rootLogger<Events extends EventMap>(
  settings: Settings,
  schemas: ReadonlyMap<string, StandardSchema>,
  sink: LogSink,
): Logger<Events> {
  const { disabled, logger, record } = settings
  const { name, version, threshold, diagnostics } = logger
  const scopes = new Map<string, Scope>()
  const root: Root = {
    sink,
    recorder: new Recorder(sink, record, diagnostics),
    diagnostics,
    schemas,
    code: record.code,
    disabled,
    scope(name, own = version) {
      const key = own === undefined ? name : `${name}\n${own}`
      const known = scopes.get(key)
      if (known !== undefined) return known
      const scope = own === undefined ? { name } : { name, version: own }
      // Names that are data would fill it.
      if (scopes.size < MAX_SCOPES) scopes.set(key, scope)
      return scope
    },
  }
  return new ScopedLogger<Events>(root, root.scope(name), undefined, { threshold, order: 0 })
}
