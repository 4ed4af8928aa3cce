import { type Command, Option } from 'commander'
import { elementsOf, type Letter, readLetter } from '../buffer/letters.ts'
import { ConfigError } from '../config/errors.ts'
import { suggestion } from '../config/nearest.ts'
import { configOption } from './config-file.ts'
import { confirmed } from './confirm.ts'
import type { CliContext } from './context.ts'
import { type FilterOptions, letterFilter } from './letter-filter.ts'
import { type BufferOptions, connectorOption, type OpenBuffer, withBuffer } from './open-buffer.ts'
import { showRecords } from './records.ts'
import { oneLine, showBytes, table } from './table.ts'

interface DlqOptions extends BufferOptions, FilterOptions {
  readonly limit?: number
  readonly all?: boolean
  readonly yes?: boolean
  readonly format?: 'json' | 'otlp' | 'raw'
  readonly group?: string
}

const REASON_WIDTH = 100

/** `sluice dlq`: looks at dead letters, sends them on their way again, or deletes them. */
export function addDlq(program: Command, context: CliContext): void {
  const dlq = program.command('dlq').description('dead letters: what no destination took')
  const command = (name: string, description: string) =>
    dlq
      .command(`${name} [ids...]`)
      .description(description)
      .addOption(configOption())
      .addOption(connectorOption())
      .option(
        '-w, --where <condition>',
        'only letters with reason, pipeline, stream, or an attribute such as service.name: name=value, !=, =~ pattern, !~',
        (condition: string, before: string[] | undefined) => [...(before ?? []), condition],
      )
      .option('--since <time>', 'only letters of this time or later; 2h is two hours ago')
      .option('--until <time>', 'only letters from before this time')
      .option('--limit <number>', 'at most so many letters, the oldest first', parseLimit)

  command('ls', 'list dead letters')
    .option('--json', 'as JSON')
    .action((ids: string[], options: DlqOptions) => list(ids, options, context))
  command('show', 'print the records of dead letters, one JSON object a line')
    .addOption(
      new Option('--format <format>', 'otlp: the request they make, in protobuf; raw: what is stored')
        .choices(['json', 'otlp', 'raw'])
        .default('json'),
    )
    .action((ids: string[], options: DlqOptions) => show(ids, options, context))
  command('replay', 'put dead letters back into the queue of their pipeline')
    .option('--all', 'all letters')
    .option('--group <pipeline>', 'into the queue of this pipeline instead')
    .option('--json', 'as JSON')
    .action((ids: string[], options: DlqOptions) => replay(ids, options, context))
  command('drop', 'delete dead letters for good')
    .option('--all', 'all letters')
    .option('--yes', 'without asking')
    .option('--json', 'as JSON')
    .action((ids: string[], options: DlqOptions) => drop(ids, options, context))
}

async function list(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  await withBuffer(options, context, async (buffer) => {
    const rows: ReturnType<typeof describe>[] = []
    for await (const letter of select(buffer, ids, options)) rows.push(describe(letter))
    if (options.json) {
      context.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
      return
    }
    if (rows.length === 0) context.stdout.write('no dead letters\n')
    else
      context.stdout.write(
        table(
          ['ID', 'BURIED', 'PIPELINE', 'STREAM', 'RECORDS', 'SIZE', 'REASON'],
          rows.map(({ id, buried, pipeline, stream, records, bytes, reason }) => [
            id,
            buried ?? '?',
            pipeline ?? '?',
            stream || '-',
            records ?? '?',
            showBytes(bytes),
            oneLine(reason, REASON_WIDTH),
          ]),
        ),
      )
  })
}

async function show(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  await withBuffer(options, context, async (buffer) => {
    for await (const letter of select(buffer, ids, options)) {
      const { id, batch, kept } = letter
      if (options.format === 'raw') context.stdout.write(kept.element)
      else if (batch === undefined) {
        context.stderr.write(`${id} cannot be shown, only --format raw: ${letter.reason}\n`)
      } else if (options.format === 'otlp') {
        // Requests one after the other are one request.
        for (const { bytes } of batch.encode(Number.POSITIVE_INFINITY, batch.letter))
          context.stdout.write(bytes)
      } else {
        const { buried, pipeline, reason } = describe(letter)
        for (const shown of showRecords(batch)) {
          context.stdout.write(`${JSON.stringify({ letter: id, buried, pipeline, reason, ...shown })}\n`)
        }
      }
    }
  })
}

async function replay(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  requireSelection(ids, options)
  await withBuffer(options, context, async (buffer) => {
    if (options.group !== undefined && !buffer.groups.includes(options.group)) {
      throw ConfigError.about(
        '--group',
        `no pipeline "${options.group}" reads from ${buffer.id}${suggestion(options.group, buffer.groups)}`,
      )
    }
    const { admin } = buffer
    const done = { letters: 0, records: 0, left: 0 }
    for await (const letter of select(buffer, ids, options)) {
      const group = options.group ?? letter.pipeline
      const problem = replayProblem(letter, group, buffer)
      if (group === undefined || problem !== undefined) {
        context.stderr.write(`${letter.id} stays: ${problem}\n`)
        done.left++
        continue
      }
      const elements = elementsOf(letter, admin.codec, admin.elementBytes)
      if (!(await admin.replay(letter.kept, { stream: letter.kept.stream, group }, elements))) continue
      done.letters++
      done.records += letter.batch?.size ?? 0
    }
    report('replayed', done, options, context)
  })
}

function replayProblem(
  { reason, batch }: Letter,
  group: string | undefined,
  { id, groups }: OpenBuffer,
): string | undefined {
  if (batch === undefined) return reason
  if (group === undefined) return 'nobody wrote down where it was refused: say --group'
  if (!groups.includes(group)) return `no pipeline "${group}" reads from ${id} any more: say --group`
  return undefined
}

async function drop(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  requireSelection(ids, options)
  await withBuffer(options, context, async (buffer) => {
    const what = options.all ? 'all dead letters' : 'the dead letters that were named'
    if (!(await confirmed(`Delete ${what} of ${buffer.id} for good?`, options.yes, context))) {
      context.stderr.write('nothing was deleted\n')
      return
    }
    const done = { letters: 0, records: 0, left: 0 }
    for await (const letter of select(buffer, ids, options)) {
      if (!(await buffer.admin.drop(letter.kept))) continue
      done.letters++
      done.records += letter.batch?.size ?? 0
    }
    report('deleted', done, options, context)
  })
}

/** The letters that are meant. Throws where an id leads to none. */
async function* select(
  { admin }: OpenBuffer,
  ids: readonly string[],
  options: DlqOptions,
): AsyncGenerator<Letter, void, undefined> {
  const isMeant = letterFilter(ids, options)
  const missing = new Set(ids)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for await (const kept of admin.letters()) {
    if (left === 0) break
    const letter = readLetter(kept, admin.codec)
    for (const id of ids) if (letter.id.startsWith(id)) missing.delete(id)
    if (!isMeant(letter)) continue
    left--
    yield letter
  }
  if (left > 0 && missing.size > 0) throw new Error(`there is no dead letter ${[...missing].join(', ')}`)
}

function requireSelection(ids: readonly string[], { all, where, since, until }: DlqOptions): void {
  const isNamed = ids.length > 0 || where !== undefined || since !== undefined || until !== undefined
  if (isNamed !== (all === true)) return
  throw ConfigError.about(
    isNamed ? '--all' : 'dlq',
    isNamed ? 'does not go with ids and filters' : 'name letters, give a filter, or say --all',
  )
}

function describe({ id, kept, reason, pipeline, buriedMs, batch }: Letter) {
  return {
    id,
    buried: buriedMs === undefined ? undefined : new Date(buriedMs).toISOString(),
    pipeline,
    stream: kept.stream,
    records: batch?.size,
    bytes: kept.element.length,
    reason,
  }
}

function report(
  verb: string,
  done: { readonly letters: number; readonly records: number; readonly left: number },
  { json }: BufferOptions,
  { stdout }: CliContext,
): void {
  if (json) stdout.write(`${JSON.stringify(done)}\n`)
  else stdout.write(`${verb} ${done.letters} dead letters with ${done.records} records\n`)
}

function parseLimit(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw ConfigError.about('--limit', `${JSON.stringify(text)}: expected a whole number from 1 on`)
}
