import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Environment } from '../config/environment.ts'
import { ConfigError } from '../config/errors.ts'
import { duration } from '../config/fields.ts'
import type { CliContext } from './context.ts'
import { STDIN } from './replay-lines.ts'
import { logsUrl, type OtlpTarget } from './replay-send.ts'
import { showDuration } from './table.ts'

const DEFAULT_ENDPOINT = 'http://localhost:4318'
const DEFAULT_PATIENCE_MS = 600_000
const DEFAULT_BATCH = 1000
/** Files that the file exporter closed, and those that it has not compressed to the end. */
const CLOSED = /@\d{8}T\d{6}\.\d{3}Z/
const UNFINISHED = /@\d{8}T\d{6}\.\d{3}Z.*\.tmp$/

export interface ReplayOptions {
  readonly endpoint?: string
  readonly header: Readonly<Record<string, string>>
  readonly batchSize: number
  readonly giveUpAfter: number
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** The arguments and options of the command. */
export function addReplayOptions(command: Command): Command {
  return command
    .argument('<files...>', 'ndjson or OTLP/JSON, also compressed with gzip or zstd; - is standard input')
    .option('--endpoint <url>', `where to; otherwise $OTEL_EXPORTER_OTLP_ENDPOINT, or ${DEFAULT_ENDPOINT}`)
    .option(
      '--header <name=value>',
      'sent with each request, may be repeated; also $OTEL_EXPORTER_OTLP_HEADERS',
      addHeader,
      {},
    )
    .option(
      '--batch-size <records>',
      'records in a request; another number makes other ids',
      parseBatchSize,
      DEFAULT_BATCH,
    )
    .option(
      '--give-up-after <duration>',
      'when the collector takes nothing for this long',
      parsePatience,
      DEFAULT_PATIENCE_MS,
    )
    .option('--dry-run', 'read and check all lines, and send nothing')
    .option('--json', 'the summary as JSON')
}

/** The files to read, each once. Where a file and its compressed form are both there, the exporter is just compressing it. */
export async function chooseFiles(
  given: readonly string[],
  stderr: CliContext['stderr'],
): Promise<readonly string[]> {
  const names = new Set(given)
  for (const name of names) {
    if (name === STDIN) continue
    await access(name).catch((cause: unknown) => {
      throw ConfigError.about(name, 'there is no such file, or it may not be read', { cause })
    })
    const isTwice = CLOSED.test(name) && (names.has(`${name}.gz`) || names.has(`${name}.zst`))
    if (!isTwice && !UNFINISHED.test(name)) continue
    names.delete(name)
    stderr.write(
      `${name}: left out, ${isTwice ? 'its compressed form is given too' : 'it is not complete'}\n`,
    )
  }
  return [...names]
}

/** Where to send to. Throws a `ConfigError`. */
export function targetOf(
  { endpoint, header, giveUpAfter }: ReplayOptions,
  env: Environment,
  stderr: CliContext['stderr'],
): OtlpTarget {
  const given = endpoint ?? (env.OTEL_EXPORTER_OTLP_ENDPOINT || DEFAULT_ENDPOINT)
  if (!URL.canParse(given) || !/^https?:/.test(given)) {
    throw ConfigError.about(
      '--endpoint',
      `${JSON.stringify(given)}: expected a URL such as ${DEFAULT_ENDPOINT}`,
    )
  }
  const fromEnv = (env.OTEL_EXPORTER_OTLP_HEADERS ?? '').split(',').filter((pair) => pair.trim() !== '')
  return {
    url: logsUrl(given),
    headers: { ...fromEnv.reduce((all, pair) => addHeader(decodeURIComponent(pair), all), {}), ...header },
    patienceMs: giveUpAfter,
    waiting: (problem, pauseMs) => stderr.write(`${problem}; trying again in ${showDuration(pauseMs)}\n`),
  }
}

function addHeader(
  pair: string,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = pair.indexOf('=')
  const name = pair.slice(0, at).trim()
  if (at < 1 || !/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) {
    throw ConfigError.about('--header', 'expected name=value such as authorization=Bearer…')
  }
  return { ...headers, [name.toLowerCase()]: pair.slice(at + 1).trim() }
}

function parseBatchSize(text: string): number {
  const size = /^[1-9]\d*$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
  if (size <= 100_000) return size
  throw ConfigError.about('--batch-size', `${JSON.stringify(text)}: expected a whole number from 1 to 100000`)
}

function parsePatience(text: string): number {
  const parsed = duration().safeParse(text)
  if (parsed.success) return parsed.data
  throw ConfigError.about('--give-up-after', parsed.error.issues[0].message)
}
