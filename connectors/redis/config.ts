import { z } from 'zod'
import { packingShape, poisonShape } from '../../src/buffer/config.ts'
import { bytes, duration } from '../../src/config/fields.ts'
import { checkConnection, connectionShape } from './connection/settings.ts'
import { checkPressure, pressureShape } from './server/settings.ts'

/** Letters of names, and `{attribute}`. */
const STREAM = /^(?:[A-Za-z0-9_.-]|\{[A-Za-z0-9_./-]+\})+$/
const LIST = /^(?:[A-Za-z0-9_.:-]|\{[A-Za-z0-9_./-]+\})+$/

export const RedisConfig = z
  .strictObject({
    ...connectionShape,
    stream: z
      .string()
      .regex(STREAM, { error: 'expected letters, digits, _ . - and {resource attribute}' })
      .default('logs')
      .describe(
        'Which buffer of the server to use. Gateways and drains of the same name share one. With resource attributes in braces, `{service.name}`, every value has a stream of its own, and with `{tenant}` every tenant that a receiver has told by the credential; what is missing counts as `unknown`, and characters other than letters, digits and `_.-` become `_`.',
      ),
    list: z
      .string()
      .regex(LIST, { error: 'expected letters, digits, _ . - : and {resource attribute}' })
      .optional()
      .describe(
        'Names the list in Redis itself, as Filebeat and Logstash do, in place of `stream`: `logqueue:{service.name}:access`. Where several pipelines read, each has a list of its own, `{logqueue:nginx:access}:logs/drain` with these very braces.',
      ),
    max_streams: z
      .int()
      .min(1)
      .max(1000)
      .default(100)
      .describe(
        'Streams that the placeholders may lead to. Records of further ones go to the stream `overflow`.',
      ),
    weights: z
      .record(z.string().min(1), z.number().min(0.01).max(100))
      .default({})
      .describe(
        'How much of a drain a stream gets while others wait, by name or by pattern with `*`; 1 where nothing fits. The first that fits counts.',
      ),
    key_prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.-]+$/)
      .default('sluice')
      .describe('What all keys in Redis begin with.'),
    ...packingShape,
    element_size: bytes()
      .refine((size) => size >= 1024, { error: 'expected 1KiB or more' })
      .prefault('1MiB')
      .describe(
        'Small requests are gathered to about this size before compression, larger ones split. Logs shrink to a fifth with zstd: 1MiB makes elements of 200KB, which Redis handles at the least cost. Without compression 128KiB suits.',
      ),
    linger: duration()
      .prefault('5ms')
      .describe(
        'How long a small request waits for others to share an element with, while another element is under way.',
      ),
    max_pending: bytes()
      .prefault('64MiB')
      .describe(
        'Bytes that may be on their way to Redis at once. More is refused, and the sender comes back.',
      ),
    ...pressureShape,
    overflow: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Id of a disk connector that keeps what Redis is too full or too far away to take, and gives it back in order.',
      ),
    worker_timeout: duration()
      .prefault('30s')
      .describe('A drain that has given no sign of life for this long loses what it holds to the others.'),
    heartbeat: duration().prefault('5s').describe('How often a drain gives a sign of life.'),
    ...poisonShape,
    prefetch: z.int().min(1).max(1024).default(16).describe('Elements that a drain takes at most at once.'),
  })
  .superRefine(checkPressure)
  .refine((config) => config.heartbeat * 2 <= config.worker_timeout, {
    path: ['heartbeat'],
    error: 'must be at most half of worker_timeout, or drains at work count as dead',
  })
  .superRefine(checkConnection)

export type RedisConfig = z.output<typeof RedisConfig>
