import { z } from 'zod'
import { packingShape, poisonShape } from '../../src/buffer/config.ts'
import { bytes, duration } from '../../src/config/fields.ts'

const SHARE = /^\d{1,2}(\.\d+)?%$/

const MinFree = z.union(
  [
    z
      .string()
      .regex(SHARE)
      .transform((text) => ({ ratio: Number.parseFloat(text) / 100 })),
    bytes().transform((size) => ({ bytes: size })),
  ],
  { error: 'expected a size such as 256MiB, or a share of the disk such as 5%' },
)

export const DiskConfig = z.strictObject({
  directory: z.string().min(1).describe('Folder that holds the buffer. One process uses it at a time.'),
  max_bytes: bytes()
    .prefault('10GiB')
    .describe('Size from which on pushes are refused until something is delivered.'),
  min_free: MinFree.prefault('10%').describe(
    'Room that is left to others on the disk: a size such as 2GiB, or a share of it. Below it pushes are refused, and taken again by themselves once there is more.',
  ),
  fsync: z
    .literal('always')
    .default('always')
    .describe(
      'A push is answered after fdatasync. No other mode keeps what was acknowledged in a power cut.',
    ),
  ...packingShape,
  element_size: bytes()
    .refine((size) => size >= 1024 && size <= 2 ** 26, { error: 'expected 1KiB to 64MiB' })
    .prefault('1MiB')
    .describe('Small requests are gathered to about this size before compression, larger ones split.'),
  linger: duration()
    .prefault('5ms')
    .describe(
      'How long a small request waits for others to share an element with, while another element is under way.',
    ),
  max_pending: bytes()
    .prefault('64MiB')
    .describe(
      'Bytes that may be on their way to the disk at once. More is refused, and the sender comes back.',
    ),
  segment_size: bytes()
    .refine((size) => size >= 4096, { error: 'expected 4KiB or more' })
    .prefault('64MiB')
    .describe('Size of the files. Each is deleted as a whole once all in it is delivered.'),
  prefetch: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe(
      'Elements of full size that a pipeline may hold at once, or more small ones of the same size in all.',
    ),
  ...poisonShape,
  max_dead_letter_bytes: bytes()
    .prefault('1GiB')
    .describe(
      'Size from which on the oldest dead letters are dropped, and counted, to keep new ones; 0 sets no limit.',
    ),
  max_dead_letter_age: duration()
    .prefault('0s')
    .describe('Age from which on dead letters, and copies of damaged parts, are dropped; 0s keeps them.'),
  max_corrupt_bytes: bytes()
    .prefault('256MiB')
    .describe(
      'Size of all copies of damaged parts together, in the folder and in that of the dead letters each: the oldest give way. 0 keeps none, and damage is only counted.',
    ),
})

export type DiskConfig = z.output<typeof DiskConfig>
