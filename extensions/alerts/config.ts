import { z } from 'zod'
import { duration } from '../../src/config/fields.ts'
import { AlertmanagerSettings, WebhookSettings } from './receivers/config.ts'
import { rules } from './rules/index.ts'

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const NAME = /^[A-Za-z0-9._-]+$/

const Rules = z.strictObject(
  Object.fromEntries(
    rules.map(({ key, name, meaning, settings }) => [
      key,
      settings.prefault({}).describe(`${name}. ${meaning}`),
    ]),
  ),
)

export const AlertsConfig = z.strictObject({
  interval: duration()
    .refine((ms) => ms >= 100, 'expected 100ms or more')
    .prefault('5s')
    .describe('How often the rules look at the service.'),
  keep_firing_for: duration()
    .prefault('30s')
    .describe('An alert ends when nothing was found for so long: what comes and goes is one alert.'),
  instance: z
    .string()
    .min(1)
    .optional()
    .describe('The label `instance` of every alert; the name of the machine unless given.'),
  labels: z
    .record(z.string().regex(LABEL, 'a label is letters, digits and "_"'), z.string())
    .default({})
    .describe('More labels for every alert, such as `cluster: eu`.'),
  alertmanager: AlertmanagerSettings.optional().describe('Tells Alertmanager.'),
  webhooks: z
    .record(z.string().regex(NAME, 'a name is letters, digits, ".", "_" and "-"'), WebhookSettings)
    .default({})
    .describe('Tells webhooks, each by a name of your choice.'),
  rules: Rules.prefault({}).describe('What is an alert, and from when on.'),
})

export type AlertsSettings = z.output<typeof AlertsConfig>
