import { z } from 'zod'
import { secret } from '../../src/config/fields.ts'

const token = secret().min(1, 'expected a token')

const labelled = z.strictObject({
  token: token.describe('The token.'),
  tenant: z.string().min(1).max(128).optional().describe('Whose logs come with it.'),
})

export const config = z
  .strictObject({
    scheme: z
      .string()
      .default('Bearer')
      .describe('What stands before the token in the header; "" for nothing.'),
    header: z.string().min(1).default('Authorization').describe('The header that holds the token.'),
    token: token.optional().describe('The one token that is taken.'),
    tokens: z
      .array(z.union([token, labelled]))
      .min(1, 'names no token')
      .optional()
      .describe(
        'Several tokens, in place of the one: each a text, or a mapping with the tenant it stands for.',
      ),
    filename: z
      .string()
      .optional()
      .describe(
        'File with the tokens, in place of both: one a line, and after a space the tenant it stands for. It is read again when it changes.',
      ),
  })
  .superRefine(({ token, tokens, filename }, context) => {
    const given = [token, tokens, filename].filter((way) => way !== undefined).length
    if (given !== 1)
      context.addIssue({ code: 'custom', message: 'expected one of token, tokens and filename' })
  })

export type BearerTokenConfig = z.output<typeof config>
