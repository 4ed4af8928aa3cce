import type { ServiceConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { ComponentDefinition } from '../define.ts'

export const EXIT = { ok: 0, failure: 1, config: 2, pending: 3 } as const

/** What the commands work with: the real things in `main.ts`, small ones in tests. */
export interface CliContext {
  readonly components: readonly ComponentDefinition[]
  /** Runs until it is told to stop and resolves with the exit code. */
  readonly runService: (
    config: ServiceConfig,
    options: { readonly pipelines?: readonly string[] },
  ) => Promise<number>
  readonly env: Environment
  readonly stdout: { write(text: string | Uint8Array): unknown }
  readonly stderr: { write(text: string): unknown }
  /** Asks the person at the terminal; undefined where there is none. */
  readonly confirm: (question: string) => Promise<boolean | undefined>
}
