import type { Counts } from './counts.ts'
import type { Guard } from './door/guard.ts'
import type { Serving } from './grpc/services/serving.ts'
import type { Intake } from './intake.ts'
import type { Connections } from './limits/connections.ts'
import type { Limits } from './limits/limits.ts'

/** What the listener of a protocol serves with, besides its own settings. */
export interface Entrance {
  readonly intake: Intake
  readonly counts: Counts
  readonly limits: Limits
  readonly connections: Connections
  readonly guard: Guard
  readonly serving: Serving
}
