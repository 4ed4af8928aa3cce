import { z } from 'zod'
import { bytes, duration } from '../../src/config/fields.ts'
import { CLOSED_MARK, COMPRESSIONS, type Compression } from './layout.ts'

const permissions = () =>
  z
    .string()
    .regex(/^0?[0-7]{3}$/, { error: 'expected permissions in octal such as "0640"' })
    .transform((text) => Number.parseInt(text, 8))

const COMPRESSION_NAMES = ['none', ...(Object.keys(COMPRESSIONS) as Compression[])] as const

const Rotation = z.strictObject({
  max_megabytes: z
    .number()
    .positive()
    .default(100)
    .describe('A file is closed before it grows beyond this, MiB.'),
  interval: duration()
    .prefault('0s')
    .describe('A file is closed this long after its first line, however small; 0s sets no limit.'),
  close_after: duration()
    .prefault('10m')
    .describe('A file whose day or hour is over is closed once nothing was written to it for this long.'),
  compression: z
    .enum(COMPRESSION_NAMES)
    .default('none')
    .describe('What closed files are compressed with, one at a time in the background.'),
  max_days: z
    .number()
    .nonnegative()
    .default(0)
    .describe('Closed files are deleted this many days after they were closed; 0 keeps them.'),
  max_backups: z
    .int()
    .nonnegative()
    .default(0)
    .describe('Closed files that are kept of each path, the newest ones; 0 keeps all.'),
})

/** The settings under `rotation`; null after `rotation:` alone stands for all defaults. */
export type Rotation = z.output<typeof Rotation>

const FORMATS = ['ndjson', 'otlp_json'] as const
const FSYNCS = ['always', 'interval', 'never'] as const

export const FileConfig = z.strictObject({
  directory: z.string().min(1).describe('Folder that holds the files. One process uses it at a time.'),
  path: z
    .string()
    .min(1)
    .refine(
      (path) => !path.startsWith('/') && !path.split('/').includes('..'),
      'must stay inside the directory',
    )
    .refine(
      (path) => path.split('/').every((part) => part !== '' && part !== '.'),
      'must name a file, and have no empty parts',
    )
    .refine((path) => !path.includes(CLOSED_MARK), `must not hold ${CLOSED_MARK}: that marks closed files`)
    .default('{service.name}/{YYYY-MM-DD}.ndjson')
    .describe(
      'Path of a file below it. {service.name} and other attributes of the resource, {scope.name}, {scope:attribute}, {record:attribute}, and the time of the record in UTC, as {YYYY-MM-DD}, {YYYYMMDD} or {HH}, are filled in.',
    ),
  format: z
    .enum(FORMATS)
    .default('ndjson')
    .describe(
      '"ndjson" writes a document a line, as the elasticsearch exporter in mode otel; "otlp_json" requests of OTLP/JSON, as the Collector\'s file exporter.',
    ),
  rotation: Rotation.nullable()
    .transform((given) => given ?? Rotation.parse({}))
    .optional()
    .describe('Closes files that are large or old, compresses and deletes them. Without it files only grow.'),
  fsync: z
    .enum(FSYNCS)
    .default('always')
    .describe(
      '"always" acknowledges after fdatasync. "interval" and "never" acknowledge what the system has taken: a crash of the process loses nothing, one of the machine what was not synced yet.',
    ),
  fsync_interval: duration()
    .refine((ms) => ms > 0, { error: 'expected more than 0s' })
    .prefault('1s')
    .describe('With fsync: interval, how often files are synced: what a crash of the machine may lose.'),
  min_free: bytes()
    .prefault('0B')
    .describe('Room that is left to others on the disk. Below it nothing is written until there is more.'),
  directory_permissions: permissions()
    .prefault('0750')
    .describe('Of new folders, less what the umask of the process takes away.'),
  file_permissions: permissions()
    .prefault('0640')
    .describe('Of new files, less what the umask of the process takes away.'),
})

export type FileConfig = z.output<typeof FileConfig>
