import { z } from 'zod'
import { loadConfig, type ServiceConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { bytes, duration, endpoint, secret } from '../../src/config/fields.ts'
import {
  type ComponentDefinition,
  defineConnector,
  defineExtension,
  defineProcessor,
  defineReceiver,
  type ExporterDefinition,
} from '../../src/define.ts'

/** Without the settings of the delivery chain, which `defineExporter` would add. */
const debug = {
  kind: 'exporter',
  type: 'debug',
  summary: 'Prints logs.',
  config: z.strictObject({
    verbose: z.boolean().default(false),
    headers: z.record(z.string(), secret()).default({}),
    auth: z
      .union([
        z.strictObject({ user: z.string(), password: secret() }),
        z.strictObject({ api_key: secret() }),
      ])
      .optional(),
    retry: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('never') }),
        z.strictObject({ kind: z.literal('backoff'), initial: duration().prefault('1s') }),
      ])
      .optional(),
  }),
  example: {},
  create: notHere,
} as unknown as ExporterDefinition

/** A small component of each kind, never created. */
export const registry: readonly ComponentDefinition[] = [
  defineReceiver({
    type: 'otlp',
    summary: 'Takes logs over OTLP.',
    config: z.strictObject({
      protocols: z.strictObject({
        grpc: z.strictObject({ endpoint: endpoint().prefault('0.0.0.0:4317') }).optional(),
        http: z
          .strictObject({ endpoint: endpoint().prefault(':4318'), max_body: bytes().prefault('16MiB') })
          .optional(),
      }),
    }),
    example: { protocols: {} },
    create: notHere,
  }),
  defineProcessor({
    type: 'redaction',
    summary: 'Masks secrets.',
    config: z.strictObject({
      detectors: z.array(z.enum(['email', 'credit_card'])).default(['email']),
      hash_key: secret().optional().describe('Hashes with this key.'),
    }),
    example: {},
    create: notHere,
  }),
  defineConnector({
    type: 'redis',
    summary: 'Buffers in Redis.',
    config: z.strictObject({
      url: z.string(),
      timeout: duration().prefault('5s'),
      database: z.int().default(0),
      overflow: z.string().optional(),
    }),
    overflow: ({ overflow }) => overflow,
    example: { url: 'redis://127.0.0.1' },
    create: notHere,
  }),
  defineConnector({
    type: 'disk',
    summary: 'Buffers on the disk.',
    oneProcess: 'its folder has one owner',
    isSpill: true,
    config: z.strictObject({ directory: z.string().default('./data') }),
    example: {},
    create: notHere,
  }),
  debug,
  defineExtension({
    type: 'health_check',
    summary: 'Answers health checks.',
    config: z.strictObject({ endpoint: endpoint().prefault(':13133') }),
    example: {},
    create: notHere,
  }),
]

/** A config that is fine, to which tests add what they are about. */
export const MINIMAL = `receivers:
  otlp: { protocols: { grpc: } }
exporters:
  debug:
service:
  pipelines:
    logs: { receivers: [otlp], exporters: [debug] }
`

export function load(yaml: string, env: Environment = {}): ServiceConfig {
  return loadConfig('config.yaml', yaml, registry, env)
}

/** The lines that an operator sees for a config that is refused. */
export function problems(yaml: string, env: Environment = {}): string[] {
  try {
    load(yaml, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

function notHere(): never {
  throw new Error('a test of the config creates no component')
}
