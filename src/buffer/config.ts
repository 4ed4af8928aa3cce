import { z } from 'zod'

const KeyId = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, {
  error: 'expected up to 64 letters, digits, ".", "_" or "-"',
})

const Key = z.strictObject({
  id: KeyId.describe('Name of the key, which stands readable in what is sealed with it.'),
  file: z.string().min(1).describe('File that holds the key: 32 bytes, plain, in hex or in base64.'),
})

const Encryption = z
  .strictObject({
    key_file: z
      .string()
      .min(1)
      .optional()
      .describe('File that holds the only key: 32 bytes, plain, in hex or in base64.'),
    keys: z
      .array(Key)
      .min(1)
      .optional()
      .describe('Instead of key_file: several keys. All of them open, the active one seals.'),
    active: KeyId.optional().describe('Id of the key that seals; the first one where this is not set.'),
  })
  .refine((config) => (config.key_file === undefined) !== (config.keys === undefined), {
    error: 'expected either key_file or keys',
  })
  .refine(({ keys = [] }) => new Set(keys.map(({ id }) => id)).size === keys.length, {
    path: ['keys'],
    error: 'two keys have the same id',
  })
  .refine(({ keys, active }) => active === undefined || keys?.some(({ id }) => id === active), {
    path: ['active'],
    error: 'is the id of none of the keys',
  })

export type EncryptionConfig = z.output<typeof Encryption>

/** How elements are kept, in the settings of every buffer. */
export const packingShape = {
  compression: z
    .enum(['zstd', 'none'])
    .default('zstd')
    .describe('How elements are stored. Either kind is read, whatever is set here.'),
  compression_level: z
    .int()
    .min(1)
    .max(19)
    .default(1)
    .describe(
      'Level of zstd. On logs 3 takes half as much time again as 1 and saves nothing, 6 four times as much and saves a tenth.',
    ),
  encryption: Encryption.optional().describe(
    'Seals elements and dead letters with AES-256-GCM. What was stored before it was set stays readable.',
  ),
}

/** When an element is given up that never gets delivered, in the settings of every buffer. */
export const poisonShape = {
  max_deliveries: z
    .int()
    .min(3)
    .max(100)
    .default(5)
    .describe(
      'An element that was handed out this often without success, because delivering it failed in an unknown way or the process died of it, goes to the dead letters. From its third time on it is handed out alone.',
    ),
}
