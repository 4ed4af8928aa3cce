import type { Command } from 'commander'
import { LineRequests } from '../logs/json/line-requests.ts'
import { MalformedError } from '../logs/wire.ts'
import { type CliContext, EXIT } from './context.ts'
import { LONGEST_LINE, readLines } from './replay-lines.ts'
import { addReplayOptions, chooseFiles, type ReplayOptions, targetOf } from './replay-options.ts'
import { type OtlpTarget, RefusedError, sendRequest } from './replay-send.ts'
import { showBytes, showDuration } from './table.ts'

/** A request ends here, however few its records are. */
const REQUEST_BYTES = 4 * 1024 * 1024
const PROGRESS_EVERY_MS = 5_000
/** Bad lines of a file that are told one by one. */
const TOLD_LINES = 100
/** What became of the lines. */
interface Totals {
  files: number
  records: number
  requests: number
  badLines: number
  /** Records that the server did not take. */
  refused: number
  unreadableFiles: number
}

/** `sluice replay`: sends what the file exporter wrote to a collector. */
export function addReplay(program: Command, context: CliContext, exit: (code: number) => void): void {
  const command = program
    .command('replay')
    .description('send the records of files that the file exporter wrote to a collector, over OTLP/HTTP')
  addReplayOptions(command).action(async (files: readonly string[], options: ReplayOptions) => {
    exit(await replay(files, options, context))
  })
}

async function replay(
  given: readonly string[],
  options: ReplayOptions,
  { stdout, stderr, env }: CliContext,
): Promise<number> {
  const files = await chooseFiles(given, stderr)
  const target = targetOf(options, env, stderr)
  const totals: Totals = { files: 0, records: 0, requests: 0, badLines: 0, refused: 0, unreadableFiles: 0 }
  const started = performance.now()
  let toldAt = started
  const say = (line: string): void => void stderr.write(`${line}\n`)

  const send = async (requests: LineRequests, where: string): Promise<void> => {
    const { records } = requests
    const request = requests.take()
    if (records === 0) return
    totals.requests++
    try {
      const { rejected, message } = options.dryRun
        ? { rejected: 0, message: '' }
        : await sendRequest(request, target)
      totals.records += records - rejected
      totals.refused += rejected
      if (rejected > 0) say(`${where}: ${rejected} of ${records} records were rejected: ${message}`)
    } catch (error) {
      if (!(error instanceof RefusedError)) throw new Error(stopped(error, where, totals), { cause: error })
      totals.refused += records
      say(`${where}: ${error.message}`)
    }
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return
    toldAt = performance.now()
    say(`${where}: ${totals.records} records so far`)
  }

  for (const file of files) {
    totals.files++
    const requests = new LineRequests()
    let first = 1
    let last = 0
    let bad = 0
    const flush = async (): Promise<void> => {
      await send(requests, `${file}:${first}-${last}`)
      first = last + 1
    }
    try {
      for await (const { number, bytes } of lines(file)) {
        last = number
        const problem = add(requests, bytes)
        if (problem !== undefined && ++bad <= TOLD_LINES) say(`${file}:${number}: ${problem}`)
        if (requests.records >= options.batchSize || requests.byteLength >= REQUEST_BYTES) await flush()
      }
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      totals.unreadableFiles++
      say(`${file}:${last + 1}: ${error.message}`)
    }
    await flush()
    if (bad > TOLD_LINES) say(`${file}: ${bad - TOLD_LINES} more bad lines`)
    totals.badLines += bad
  }

  const took = performance.now() - started
  stdout.write(options.json ? `${JSON.stringify(totals)}\n` : summary(totals, options, target, took))
  return totals.badLines + totals.refused + totals.unreadableFiles === 0 ? EXIT.ok : EXIT.failure
}

/** A file cannot be read, or not to its end. */
class UnreadableError extends Error {}

async function* lines(file: string): ReturnType<typeof readLines> {
  const read = readLines(file)
  for (;;) {
    let next: Awaited<ReturnType<typeof read.next>>
    try {
      next = await read.next()
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
      throw new UnreadableError(`unreadable from here on (${code})`, { cause })
    }
    if (next.done) return
    yield next.value
  }
}

/** Adds a line; gives what is wrong with it. */
function add(requests: LineRequests, bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return `longer than ${showBytes(LONGEST_LINE)}`
  if (bytes.length === 0) return undefined
  try {
    requests.add(bytes)
    return undefined
  } catch (error) {
    if (error instanceof MalformedError) return error.message
    throw error
  }
}

function stopped(error: unknown, where: string, { records }: Totals): string {
  const problem = error instanceof Error ? error.message : String(error)
  return `${where}: ${problem}\nstopped after ${records} records: the same command sends them again, under the same ids`
}

function summary(totals: Totals, { dryRun }: ReplayOptions, { url }: OtlpTarget, tookMs: number): string {
  const { files, records, requests, badLines, refused, unreadableFiles } = totals
  const problems = [
    badLines > 0 && `${badLines} bad lines`,
    refused > 0 && `${refused} records refused`,
    unreadableFiles > 0 && `${unreadableFiles} files not read to their end`,
  ].filter(Boolean)
  const done = dryRun ? 'read' : 'replayed'
  const to = dryRun ? '' : ` to ${url.href} in ${requests} requests, ${showDuration(tookMs)}`
  return `${done} ${records} records of ${files} files${to}${problems.length > 0 ? `; ${problems.join(', ')}` : ''}\n`
}
