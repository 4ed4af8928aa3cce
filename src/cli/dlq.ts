import { type Command, Option } from 'commander'
import type { Letter } from '../buffer/letters.ts'
import { ConfigError } from '../config/errors.ts'
import { suggestion } from '../config/nearest.ts'
import { configOption } from './config-file.ts'
import { confirmed } from './confirm.ts'
import type { CliContext } from './context.ts'
import { type FilterOptions, letterFilter } from './letter-filter.ts'
import {
  fromOption,
  type LetterSource,
  type SourceOptions,
  withLetters,
  withReplay,
} from './letter-source.ts'
import { connectorOption, type OpenBuffer } from './open-buffer.ts'
import { showRecords } from './records.ts'
import { oneLine, showBytes, table } from './table.ts'

interface DlqOptions extends SourceOptions, FilterOptions {
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
      .addOption(fromOption())
      .option(
        '-w, --where <condition>',
        'only letters with reason, pipeline, stream, index, or an attribute such as service.name: name=value, !=, =~ pattern, !~',
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
  await withLetters(options, context, async (source) => {
    const rows: ReturnType<typeof describe>[] = []
    for await (const run of select(source, ids, options)) rows.push(...run.map(describe))
    if (options.json) {
      context.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
      return
    }
    if (rows.length === 0) context.stdout.write('no dead letters\n')
    else
      context.stdout.write(
        table(
          ['ID', 'BURIED', 'PIPELINE', source.place.toUpperCase(), 'RECORDS', 'SIZE', 'REASON'],
          rows.map((row) => [
            row.id,
            row.buried ?? '?',
            row.pipeline ?? '?',
            row[source.place] || '-',
            row.records ?? '?',
            showBytes(row.bytes),
            oneLine(row.reason, REASON_WIDTH),
          ]),
        ),
      )
  })
}

async function show(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  await withLetters(options, context, async (source) => {
    for await (const run of select(source, ids, options)) for (const letter of run) print(letter)
  })

  function print(letter: Letter): void {
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
}

async function replay(ids: readonly string[], options: DlqOptions, context: CliContext): Promise<void> {
  requireSelection(ids, options)
  await withReplay(options, context, async (source, buffer) => {
    if (options.group !== undefined && !buffer.groups.includes(options.group)) {
      throw ConfigError.about(
        '--group',
        `no pipeline "${options.group}" reads from ${buffer.id}${suggestion(options.group, buffer.groups)}`,
      )
    }
    const done = { letters: 0, records: 0, left: 0 }
    for await (const run of select(source, ids, options)) {
      const ready = new Map<string, Letter[]>()
      for (const letter of run) {
        const group = options.group ?? letter.pipeline
        const problem = replayProblem(letter, group, buffer)
        if (group === undefined || problem !== undefined) {
          context.stderr.write(`${letter.id} stays: ${problem}\n`)
          done.left++
        } else ready.set(group, [...(ready.get(group) ?? []), letter])
      }
      for (const [group, letters] of ready) {
        const records = new Map(letters.map(({ id, batch }) => [id, batch?.size ?? 0]))
        for (const { id } of await source.replay(letters, group)) {
          done.letters++
          done.records += records.get(id) ?? 0
        }
      }
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
  await withLetters(options, context, async (source) => {
    const what = options.all ? 'all dead letters' : 'the dead letters that were named'
    if (!(await confirmed(`Delete ${what} of ${source.id} for good?`, options.yes, context))) {
      context.stderr.write('nothing was deleted\n')
      return
    }
    const done = { letters: 0, records: 0, left: 0 }
    for await (const run of select(source, ids, options)) {
      const { letters, records } = await source.drop(run)
      done.letters += letters
      done.records += records
    }
    report('deleted', done, options, context)
  })
}

/** The letters that are meant. Throws where an id leads to none. */
async function* select(
  source: LetterSource,
  ids: readonly string[],
  options: DlqOptions,
): AsyncGenerator<readonly Letter[], void, undefined> {
  const { isMeant, times } = letterFilter(ids, options)
  const missing = new Set(ids)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for await (const run of source.letters(times)) {
    for (const letter of run) for (const id of ids) if (letter.id.startsWith(id)) missing.delete(id)
    const meant = run.filter(isMeant).slice(0, left)
    if (meant.length > 0) yield meant
    left -= meant.length
    if (left === 0) break
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
    ...(kept.document && { index: kept.document.index, document: kept.document.id }),
    records: batch?.size,
    bytes: kept.element.length,
    reason,
  }
}

function report(
  verb: string,
  done: { readonly letters: number; readonly records: number; readonly left: number },
  { json }: SourceOptions,
  { stdout }: CliContext,
): void {
  if (json) stdout.write(`${JSON.stringify(done)}\n`)
  else stdout.write(`${verb} ${done.letters} dead letters with ${done.records} records\n`)
}

function parseLimit(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw ConfigError.about('--limit', `${JSON.stringify(text)}: expected a whole number from 1 on`)
}
