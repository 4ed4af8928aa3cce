import { Option } from 'commander'
import type { KeptLetter, LetterArchive, Times } from '../buffer/admin.ts'
import { Codec } from '../buffer/codec.ts'
import { elementsOf, type Letter, readLetter } from '../buffer/letters.ts'
import { ConfigError } from '../config/errors.ts'
import { suggestion } from '../config/nearest.ts'
import { LogBatch } from '../logs/batch.ts'
import { MalformedError } from '../logs/wire.ts'
import { createLogger } from '../telemetry/logger.ts'
import { readConfig } from './config-file.ts'
import type { CliContext } from './context.ts'
import { type BufferOptions, type OpenBuffer, withBuffer } from './open-buffer.ts'

export interface SourceOptions extends BufferOptions {
  readonly from?: string
}

/** Where dead letters lie: in a buffer, or where an exporter keeps them. */
export interface LetterSource {
  /** Of the connector or exporter. */
  readonly id: string
  /** What tells letters of one source apart besides their pipelines. */
  readonly place: 'stream' | 'index'
  /** Oldest first, in runs that are settled together; at least those of `times`. */
  letters(times: Times): AsyncIterable<readonly Letter[]>
  /** Puts letters into the queue of a pipeline and takes them away. Returns those that were still there. */
  replay(letters: readonly Letter[], group: string): Promise<readonly Letter[]>
  /** Deletes letters. Returns how many of them, and of their records, were there. */
  drop(letters: readonly Letter[]): Promise<Dropped>
}

export interface Dropped {
  readonly letters: number
  readonly records: number
}

export function fromOption(): Option {
  return new Option(
    '--from <exporter>',
    'the dead letters that this exporter keeps, instead of those of the buffer',
  )
}

/**
 * Opens the letters that the options name, for as long as `use` takes. Whoever looks at what an exporter keeps need not
 * reach the buffer.
 */
export async function withLetters(
  options: SourceOptions,
  context: CliContext,
  use: (source: LetterSource) => Promise<void>,
): Promise<void> {
  if (options.from === undefined) {
    await withBuffer(options, context, (buffer) => use(bufferLetters(buffer)))
    return
  }
  await withArchive(options.from, options, context, (archive) => use(archive))
}

/** The same for a replay, with the buffer that the letters go back to. */
export async function withReplay(
  options: SourceOptions,
  context: CliContext,
  use: (source: LetterSource, buffer: OpenBuffer) => Promise<void>,
): Promise<void> {
  const { from } = options
  await withBuffer(options, context, async (buffer) => {
    if (from === undefined) await use(bufferLetters(buffer), buffer)
    else await withArchive(from, options, context, (archive) => use(archive, buffer), buffer)
  })
}

async function withArchive(
  id: string,
  options: SourceOptions,
  context: CliContext,
  use: (source: LetterSource) => Promise<void>,
  buffer?: OpenBuffer,
): Promise<void> {
  const { exporters } = readConfig(options.config, context)
  const configured = exporters.get(id)
  if (configured === undefined) {
    throw ConfigError.about('--from', `there is no exporter "${id}"${suggestion(id, exporters.keys())}`)
  }
  const log = createLogger({
    level: 'warn',
    encoding: 'console',
    destination: { write: (line) => void context.stderr.write(line) },
  }).child({ exporter: id })
  const archive = configured.definition.letters?.(configured.config, { log })
  if (archive === undefined) {
    throw ConfigError.about('--from', `${id} keeps no dead letters: its dead_letters are not set`)
  }
  try {
    await use(archivedLetters(id, archive, new Codec(PLAIN, { log }), buffer))
  } finally {
    await archive.close()
  }
}

const PLAIN = { compression: 'none', compression_level: 1 } as const

function bufferLetters({ id, admin }: OpenBuffer): LetterSource {
  return {
    id,
    place: 'stream',
    async *letters() {
      for await (const kept of admin.letters()) yield [readLetter(kept, admin.codec)]
    },
    async replay(letters, group) {
      const moved: Letter[] = []
      for (const letter of letters) {
        const elements = elementsOf(letter, admin.codec, admin.elementBytes)
        if (await admin.replay(letter.kept, { stream: letter.kept.stream, group }, elements))
          moved.push(letter)
      }
      return moved
    },
    async drop(letters) {
      const dropped = { letters: 0, records: 0 }
      for (const { kept, batch } of letters) {
        if (!(await admin.drop(kept))) continue
        dropped.letters++
        dropped.records += batch?.size ?? 0
      }
      return dropped
    },
  }
}

function archivedLetters(
  id: string,
  archive: LetterArchive,
  codec: Codec,
  buffer?: OpenBuffer,
): LetterSource {
  return {
    id,
    place: 'index',
    async *letters(times) {
      for await (const page of archive.pages(times)) yield page.map((kept) => readArchived(kept, codec))
    },
    async replay(letters, group) {
      if (buffer === undefined) throw new Error('letters were opened without a buffer to go to')
      const batches = letters.flatMap(({ batch }) => batch ?? [])
      await buffer.admin.enqueue(group, LogBatch.concat(batches))
      try {
        await archive.remove(letters.map(({ kept }) => kept))
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause)
        throw new Error(
          `${letters.length} letters are in the queue of ${group}, and still dead letters too, which does no harm: ${problem}`,
          { cause },
        )
      }
      return letters
    },
    async drop(letters) {
      const removed = await archive.remove(letters.map(({ kept }) => kept))
      return { letters: removed, records: removed }
    },
  }
}

/** Whoever may write logs there may write something else there: it is checked as what comes in at the door. */
function readArchived(kept: KeptLetter, codec: Codec): Letter {
  const letter = readLetter(kept, codec)
  if (letter.batch === undefined) return letter
  try {
    LogBatch.decode(kept.element)
    if (letter.batch.letter !== undefined) return letter
    return { ...letter, batch: undefined, reason: 'it is no dead letter of Sluice' }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return { ...letter, batch: undefined, reason: `undecodable: ${error.message}` }
  }
}
