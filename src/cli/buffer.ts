import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { BufferAdmin, BufferStats, QueueName } from '../buffer/admin.ts'
import { MissingKeyError } from '../buffer/seal.ts'
import { ConfigError } from '../config/errors.ts'
import { duration } from '../config/fields.ts'
import { suggestion } from '../config/nearest.ts'
import { MalformedError } from '../logs/wire.ts'
import { showStats, statsWithRates } from './buffer-stats.ts'
import { configOption } from './config-file.ts'
import { confirmed } from './confirm.ts'
import type { CliContext } from './context.ts'
import { type BufferOptions, connectorOption, type OpenBuffer, withBuffer } from './open-buffer.ts'
import { showRecords } from './records.ts'
import { showBytes } from './table.ts'

interface StatsOptions extends BufferOptions {
  readonly interval: number
  readonly watch?: boolean
}

interface QueueOptions extends BufferOptions {
  readonly group?: string
  readonly stream?: string
  readonly limit: number
  readonly format: 'json' | 'otlp' | 'raw'
  readonly yes?: boolean
}

/** `sluice buffer`: what waits in a buffer, and how fast it comes and goes. */
export function addBuffer(program: Command, context: CliContext): void {
  const buffer = program.command('buffer').description('what waits in a buffer')
  const command = (name: string, description: string) =>
    buffer.command(name).description(description).addOption(configOption()).addOption(connectorOption())

  command('stats', 'show what waits, how old it is, and how fast it comes and goes')
    .option(
      '--interval <duration>',
      'time between the two looks that rates come from; 0s looks once',
      parseInterval,
      1000,
    )
    .option('--watch', 'look again and again')
    .option('--json', 'as JSON, one line a look')
    .action((options: StatsOptions) => stats(options, context))
  command('peek', 'print the oldest records of a queue without taking them, one JSON object a line')
    .option('--group <pipeline>', 'the queue of this pipeline, where several read from the buffer')
    .option('--stream <name>', 'of this stream, where the buffer has several')
    .option('--limit <number>', 'elements to look into', parseLimit, 1)
    .addOption(
      new Option('--format <format>', 'otlp: the requests, in protobuf; raw: what is stored')
        .choices(['json', 'otlp', 'raw'])
        .default('json'),
    )
    .action((options: QueueOptions) => peek(options, context))
  command('purge', 'delete what waits in a queue, unsent, for good')
    .requiredOption('--group <pipeline>', 'the queue of this pipeline')
    .option('--stream <name>', 'of this stream, where the buffer has several')
    .option('--yes', 'without asking')
    .option('--json', 'as JSON')
    .action((options: QueueOptions) => purge(options, context))
}

async function stats(options: StatsOptions, context: CliContext): Promise<void> {
  await withBuffer(options, context, async ({ admin }) => {
    let before = await look(admin)
    do {
      let now = before
      if (options.interval > 0) {
        await sleep(options.interval)
        now = await look(admin)
      }
      const shown = statsWithRates(before, now)
      context.stdout.write(options.json ? `${JSON.stringify(shown)}\n` : showStats(shown))
      before = now
    } while (options.watch)
  })
}

async function look(admin: BufferAdmin): Promise<BufferStats & { readonly atMs: number }> {
  const atMs = Date.now()
  return { ...(await admin.stats()), atMs }
}

async function peek(options: QueueOptions, context: CliContext): Promise<void> {
  await withBuffer(options, context, async (buffer) => {
    const queue = await chooseQueue(buffer, options)
    for (const element of await buffer.admin.peek(queue, options.limit)) {
      if (options.format === 'raw') {
        context.stdout.write(element)
        continue
      }
      try {
        const batch = buffer.admin.codec.open(element)
        if (options.format === 'json') {
          for (const shown of showRecords(batch)) context.stdout.write(`${JSON.stringify(shown)}\n`)
        } else for (const { bytes } of batch.encode(Number.POSITIVE_INFINITY)) context.stdout.write(bytes)
      } catch (error) {
        if (!(error instanceof MalformedError || error instanceof MissingKeyError)) throw error
        context.stderr.write(`an element of ${showBytes(element.length)} cannot be shown: ${error.message}\n`)
      }
    }
  })
}

async function purge(options: QueueOptions, context: CliContext): Promise<void> {
  await withBuffer(options, context, async (buffer) => {
    const queue = await chooseQueue(buffer, options)
    const name = [queue.group, queue.stream && `stream ${queue.stream}`].filter(Boolean).join(', ')
    const question = `Delete all that waits for ${name} in ${buffer.id}, unsent and for good?`
    if (!(await confirmed(question, options.yes, context))) {
      context.stderr.write('nothing was deleted\n')
      return
    }
    const amount = await buffer.admin.purge(queue)
    if (options.json) context.stdout.write(`${JSON.stringify(amount)}\n`)
    else
      context.stdout.write(
        `deleted ${amount.elements} elements with ${amount.records} records, ${showBytes(amount.bytes)}\n`,
      )
  })
}

async function chooseQueue({ id, groups, admin }: OpenBuffer, options: QueueOptions): Promise<QueueName> {
  const group = choose('--group', options.group, groups, `pipelines that read from ${id}`)
  const { queues } = await admin.stats()
  const streams = queues.filter((queue) => queue.group === group).map(({ stream }) => stream)
  return { group, stream: choose('--stream', options.stream, streams, `streams of ${id}`) }
}

function choose(option: string, named: string | undefined, known: readonly string[], what: string): string {
  if (named === undefined && known.length === 1) return known[0]
  if (named === undefined)
    throw ConfigError.about(option, `is needed: the ${what} are ${known.join(', ') || 'none'}`)
  if (known.includes(named)) return named
  throw ConfigError.about(option, `"${named}" is none of the ${what}${suggestion(named, known)}`)
}

function parseInterval(text: string): number {
  const parsed = duration().safeParse(text)
  if (parsed.success) return parsed.data
  throw ConfigError.about('--interval', parsed.error.issues[0].message)
}

function parseLimit(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw ConfigError.about('--limit', `${JSON.stringify(text)}: expected a whole number from 1 on`)
}
