import { z } from 'zod'
import { Auth } from './auth.ts'
import { duration, endpoint } from './fields.ts'
import { serverTls } from './server-tls.ts'

/** A name as it may stand after the slash of `otlp/internal`: it ends up in metrics, keys and paths. */
export const NAME = /^[A-Za-z0-9._-]+$/

/** The kinds of components, in the order of their sections. */
export const KINDS = ['receiver', 'processor', 'exporter', 'connector', 'extension'] as const
export type Kind = (typeof KINDS)[number]

/** One pipeline: `receivers`, `processors` and `exporters` name components of the same file. */
export const Pipeline = z.strictObject({
  receivers: z
    .array(z.string())
    .min(1, 'names no receiver')
    .describe('Where the records come from: receivers, and connectors that other pipelines fill.'),
  processors: z.array(z.string()).default([]).describe('What happens to the records, in this order.'),
  exporters: z
    .array(z.string())
    .min(1, 'names no exporter')
    .describe('Where the records go: exporters, and connectors that other pipelines read.'),
})

const Telemetry = z.strictObject({
  logs: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .describe('The least severe lines to write.'),
      encoding: z
        .enum(['json', 'console'])
        .default('json')
        .describe('One JSON object a line, or lines for the eye.'),
    })
    .prefault({})
    .describe("Sluice's own log, on stderr."),
  metrics: z
    .strictObject({
      address: endpoint().prefault('127.0.0.1:8888').describe('Where Prometheus finds /metrics.'),
      level: z.enum(['none', 'normal']).default('normal').describe('"none" opens no port.'),
      auth: Auth.optional().describe('Who may read them; everybody who reaches the address without it.'),
      tls: serverTls().optional().describe('Serves them over HTTPS.'),
    })
    .prefault({})
    .describe("Sluice's own metrics."),
})

const MAX_PROCESSES = 256
const countError = { error: 'expected a number of processes from 1 to 256, or auto' }
const Count = z
  .union([z.int(countError).min(1, countError).max(MAX_PROCESSES, countError), z.literal('auto')], countError)
  .describe('How many processes; "auto" is one for each core that Sluice may use.')

const Group = z.strictObject({
  pipelines: z
    .array(z.string())
    .min(1, 'names no pipeline')
    .describe('The pipelines that run together in each of these processes.'),
  count: Count.default(1),
})

const anything = z.record(z.string(), z.unknown())

/** The `service` section. Its pipelines are checked one by one, each as a `Pipeline`. */
export const Service = z.strictObject({
  extensions: z.array(z.string()).default([]).describe('The extensions to start, by id.'),
  pipelines: anything
    .refine((pipelines) => Object.keys(pipelines).length > 0, 'names no pipeline')
    .describe('By name: `logs`, or `logs/` and a name of your choice.'),
  processes: z
    .union([Count, z.array(Group, { error: 'a list of groups' }).min(1, 'names no pipeline')])
    .optional()
    .describe(
      'Runs the pipelines in several processes that share ports, metrics and health: how many, or groups of pipelines with a number each. Without it, everything runs in one process.',
    ),
  telemetry: Telemetry.prefault({}).describe('What Sluice tells about itself.'),
  shutdown_timeout: duration()
    .prefault('20s')
    .describe('How long a stopping service may deliver what it still holds.'),
})

/** A whole config file. */
export const File = z.strictObject({
  receivers: anything.prefault({}).describe('Where logs come in.'),
  processors: anything.prefault({}).describe('What happens to logs on their way.'),
  exporters: anything.prefault({}).describe('Where logs are delivered.'),
  connectors: anything.prefault({}).describe('Buffers between pipelines.'),
  extensions: anything.prefault({}).describe('Helpers beside the pipelines.'),
  service: anything.describe('Which components run, and how they are connected.'),
})
