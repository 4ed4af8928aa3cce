import { z } from 'zod'
import { bytes } from '../../../src/config/fields.ts'

const Share = z.number().positive().max(1)

/** Settings of what the buffer asks of its server, and of how full it may be. `checkPressure` says which go together. */
export const pressureShape = {
  max_bytes: bytes()
    .prefault('0')
    .describe(
      'Bytes that the queue of a pipeline may hold in Redis, in each stream; 0 sets no limit. A pipeline that does not drain then holds up the others.',
    ),
  max_records: z
    .int()
    .min(0)
    .default(0)
    .describe('Log records that the queue of a pipeline may hold in Redis, in each stream; 0 sets no limit.'),
  memory_warn_watermark: Share.default(0.7).describe(
    'Share of a limit from which on the buffer warns. The three marks hold for each limit that is set: maxmemory of the server, max_bytes and max_records.',
  ),
  memory_high_watermark: Share.default(0.85).describe(
    'Share of a limit from which on pushes are refused: well before Redis itself refuses writes.',
  ),
  memory_low_watermark: Share.default(0.75).describe(
    'Share of a limit that its use must fall below before pushes are taken again.',
  ),
  shedding: z
    .strictObject({
      debug: Share.optional().describe(
        'Share of a limit from which on records of severity TRACE and DEBUG are left out.',
      ),
      info: Share.optional().describe(
        'Share of a limit from which on records of severity INFO are left out as well.',
      ),
    })
    .prefault({})
    .describe(
      'What gives way as a limit comes near, counted in sluice_dropped_log_records_total as shed_debug and shed_info. Never WARN and above, nor records without a severity. Off unless set.',
    ),
  require_noeviction: z
    .boolean()
    .default(true)
    .describe(
      'Refuses to work with a server whose maxmemory-policy is not noeviction, since it may delete logs that were accepted.',
    ),
  fix_noeviction: z
    .boolean()
    .default(false)
    .describe('Sets maxmemory-policy noeviction where the server has another; its user needs +config|set.'),
  require_replicas: z
    .int()
    .min(0)
    .default(0)
    .describe('Refuses pushes while fewer replicas than this follow the server.'),
}

interface PressureSettings {
  readonly memory_warn_watermark: number
  readonly memory_high_watermark: number
  readonly memory_low_watermark: number
  readonly shedding: { readonly debug?: number | undefined; readonly info?: number | undefined }
}

export function checkPressure(settings: PressureSettings, context: z.core.$RefinementCtx): void {
  const refuse = (path: string[], message: string): void =>
    context.addIssue({ code: 'custom', path, message })
  const { memory_warn_watermark: warn, memory_high_watermark: high, memory_low_watermark: low } = settings
  const { debug, info } = settings.shedding
  if (low >= high) refuse(['memory_low_watermark'], 'must be below memory_high_watermark')
  if (warn > high) refuse(['memory_warn_watermark'], 'must not be above memory_high_watermark')
  for (const [name, mark = 0] of Object.entries(settings.shedding)) {
    if (mark < high) continue
    refuse(['shedding', name], 'must be below memory_high_watermark, from which on everything is refused')
  }
  if (debug !== undefined && info !== undefined && info < debug)
    refuse(['shedding', 'info'], 'must not be below shedding.debug: DEBUG gives way first')
}
