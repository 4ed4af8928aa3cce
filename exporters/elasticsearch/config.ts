import { z } from 'zod'
import { secret } from '../../src/config/fields.ts'

const url = z.string().refine((text) => {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol)
  } catch {
    return false
  }
}, 'expected a URL such as http://localhost:9200')

export const config = z
  .strictObject({
    endpoint: url.optional().describe('URL of the one node.'),
    endpoints: z.array(url).min(1).optional().describe('URLs of several nodes, used in turn.'),
    user: z.string().optional().describe('User name for basic authentication.'),
    password: secret().optional().describe('Password for basic authentication.'),
    api_key: secret().optional().describe('Encoded API key; used instead of a user.'),
    headers: z.record(z.string(), z.string()).default({}).describe('Headers sent with every request.'),
    compression: z
      .enum(['none', 'gzip'])
      .default('none')
      .describe('"gzip" saves network for CPU: about as much again as all the rest of the drain.'),
    logs_index: z
      .string()
      .min(1)
      .optional()
      .describe('A fixed index or data stream; without it data_stream.* attributes decide.'),
    pipeline: z.string().optional().describe('Ingest pipeline for every document.'),
    mapping: z
      .strictObject({ mode: z.enum(['otel']).default('otel').describe('Shape of the documents.') })
      .prefault({})
      .describe('How records become documents.'),
  })
  .refine(({ endpoint, endpoints }) => (endpoint === undefined) !== (endpoints === undefined), {
    message: 'expected one of endpoint and endpoints',
    path: ['endpoints'],
  })

export type ElasticsearchConfig = z.output<typeof config>

/** The nodes to send to. */
export function nodesOf({ endpoint, endpoints }: ElasticsearchConfig): string[] {
  return endpoints ?? (endpoint === undefined ? [] : [endpoint])
}

/** Headers that say who we are; a key goes before a user, a user before what the URL holds. */
export function authorization(
  { api_key, user, password }: ElasticsearchConfig,
  node: URL,
): string | undefined {
  if (api_key !== undefined) return `ApiKey ${api_key}`
  const name = user ?? decodeURIComponent(node.username)
  if (name === '') return undefined
  return `Basic ${Buffer.from(`${name}:${password ?? decodeURIComponent(node.password)}`).toString('base64')}`
}
