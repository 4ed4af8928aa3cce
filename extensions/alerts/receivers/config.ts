import { z } from 'zod'
import { duration, secret } from '../../../src/config/fields.ts'
import { problemOfTemplate } from './template.ts'

/** RFC 9110 section 5: what is no name or value of a header would only be found when an alert is to be told. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[^\p{Cc}]*$/u

function isHttp(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

const Tls = z.strictObject({
  ca_file: z.string().optional().describe('Authorities to trust, PEM, instead of the usual ones.'),
  cert_file: z.string().optional().describe('Certificate to show, PEM.'),
  key_file: z.string().optional().describe('Key of that certificate, PEM.'),
  insecure_skip_verify: z.boolean().default(false).describe('Takes any certificate: for trying only.'),
})

const BasicAuth = z.strictObject({
  username: z.string().describe('User name.'),
  password: secret().describe('Password.'),
})

const Retry = z.strictObject({
  initial_interval: duration().prefault('500ms').describe('Wait before the first retry.'),
  max_interval: duration().prefault('10s').describe('The wait doubles up to this.'),
})

/** How a receiver of alerts is reached. */
export const HttpSettings = z.strictObject({
  headers: z
    .record(
      z.string().regex(HEADER_NAME, 'is no name of a header'),
      secret().regex(HEADER_VALUE, 'is no value of a header'),
    )
    .default({})
    .describe('Headers sent with every message.'),
  basic_auth: BasicAuth.optional().describe('Basic authentication.'),
  bearer_token: secret().optional().describe('Token sent as `Authorization: Bearer`.'),
  tls: Tls.prefault({}).describe('For https.'),
  timeout: duration().prefault('5s').describe('Gives up on one attempt after this long; it is retried.'),
  retry_on_failure: Retry.prefault({}).describe('How retries are spaced. They go on until it answers.'),
})

export const AlertmanagerSettings = HttpSettings.extend({
  urls: z
    .array(z.string().refine(isHttp, 'expected a URL such as http://alertmanager:9093'))
    .min(1, 'names no URL')
    .describe('Every Alertmanager of the cluster: each is told of everything.'),
  resend_interval: duration()
    .prefault('1m')
    .describe(
      'How often alerts that last are told again. After four times this, those not told again are over.',
    ),
})

const Webhook = HttpSettings.extend({
  url: secret()
    .refine(isHttp, 'expected a URL such as https://hooks.slack.com/services/…')
    .optional()
    .describe('Where messages are posted. PagerDuty needs none.'),
  format: z
    .enum(['json', 'slack', 'pagerduty', 'custom'])
    .default('json')
    .describe(
      'Shape of the messages: everything as JSON, for Slack, for the Events API v2 of PagerDuty, or `body`.',
    ),
  routing_key: secret().optional().describe('Integration key of PagerDuty.'),
  body: z
    .string()
    .optional()
    .describe(
      'Template of `custom` messages, with placeholders such as {{summary}}; docs/alerts.md lists them.',
    ),
  content_type: z.string().default('application/json').describe('Content type of `custom` messages.'),
  repeat_interval: duration().prefault('4h').describe('How often alerts that last are told again.'),
  queue_size: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Messages that wait for a receiver that is down; of more, the oldest are left out.'),
})

export const WebhookSettings = Webhook.superRefine((webhook, context) => {
  const { format, url, routing_key, body, content_type } = webhook
  const report = (key: keyof typeof webhook, message: string): void => {
    context.addIssue({ code: 'custom', path: [key], message, input: webhook[key] })
  }
  if (format !== 'pagerduty' && url === undefined) report('url', `required for ${format}`)
  if ((format === 'pagerduty') !== (routing_key !== undefined)) {
    report('routing_key', format === 'pagerduty' ? 'required for pagerduty' : 'is for pagerduty only')
  }
  if ((format === 'custom') !== (body !== undefined)) {
    report('body', format === 'custom' ? 'required for custom' : 'is for the format custom only')
  }
  const problem = body === undefined ? undefined : problemOfTemplate(body, content_type)
  if (problem !== undefined) report('body', problem)
})

export type WebhookConfig = z.output<typeof Webhook>
export type AlertmanagerConfig = z.output<typeof AlertmanagerSettings>
