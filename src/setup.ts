import type { Logger } from 'pino'

/** What a destination must have before an exporter can send to it as it should: templates, policies, roles. */
export interface DestinationSetup {
  /** Looks what is there and what is not. Throws `SetupError`. */
  plan(): Promise<SetupPlan>
  /**
   * Makes the changes of a plan, and looks again whether any is left. Throws `SetupError`, also for changes to what
   * somebody else made, before anything is done, unless `force` is set. Deletes what is obsolete with `prune` only.
   */
  apply(plan: SetupPlan, options?: { readonly force?: boolean; readonly prune?: boolean }): Promise<void>
  /** Brings screens for people into the Kibana at `url`, and says what became of each. Throws `SetupError`. */
  installScreens(options: ScreenOptions): Promise<readonly string[]>
  close(): Promise<void>
}

export interface ScreenOptions {
  readonly url: string
  /** The default one unless set. */
  readonly space: string | undefined
  readonly dryRun: boolean
}

/** What an exporter needs to say what its destination is to have. */
export interface SetupContext {
  /** Plans for the newest server of this name, which is not asked: the plan can only be shown. */
  readonly assume?: string
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface SetupPlan {
  /** For people: `Elasticsearch 9.5.3 at localhost:9200`. */
  readonly server: string
  /** In the order in which they are made. */
  readonly steps: readonly SetupStep[]
  /** What this server cannot have, and what is done instead. */
  readonly notes: readonly string[]
}

/** One thing that a destination is to have, or not to have any more. */
export interface SetupStep {
  /** For people: `component template sluice-logs-otel@mappings`. */
  readonly what: string
  readonly method: 'PUT' | 'DELETE'
  readonly path: string
  /** Undefined where there is nothing to send. */
  readonly body: object | undefined
  /** Obsolete is what an earlier config asked for, and still has its effect. */
  readonly state: 'missing' | 'different' | 'same' | 'obsolete'
  readonly differences: readonly SetupDifference[]
  /** Why it is not changed without being told to: somebody else made it. */
  readonly foreign?: string
}

/** A field that is to be changed; undefined where it is not there. */
export interface SetupDifference {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** Why a destination could not be set up, for the person who has to do something about it. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  /** Whether it may work later without anybody doing anything. */
  readonly isTransient: boolean

  constructor(message: string, options?: ErrorOptions & { readonly isTransient?: boolean }) {
    super(message, options)
    this.isTransient = options?.isTransient ?? false
  }
}
