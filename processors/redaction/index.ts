import { z } from 'zod'
import { defineProcessor } from '../../src/define.ts'
import { type Action, DETECTORS, type DetectorName, type Finder } from './detector.ts'
import { email } from './email.ts'
import { numbers } from './numbers.ts'
import { bearerToken, jwt } from './tokens.ts'

/** In the order they are applied: a later one sees what an earlier one left. */
const FINDERS: readonly Finder[] = [bearerToken, jwt, email, numbers]

const ActionName = z.enum(['mask', 'remove'])
const Detector = z.union([
  z.enum(DETECTORS),
  z.strictObject({
    name: z.enum(DETECTORS).describe('The detector.'),
    action: ActionName.describe('What is done with what it finds.'),
  }),
])

/**
 * Masks personal data and secrets in every text of a record, its resource and its scope, at any depth and keys
 * included, before anything is stored. Whole numbers of ten digits or more are looked at as well.
 * A record that cannot be redacted is dropped with the reason `redaction_failed`: nothing passes unseen.
 */
export const redaction = defineProcessor({
  type: 'redaction',
  summary: 'Masks or removes personal data and secrets in bodies and attributes.',
  config: z.strictObject({
    action: ActionName.default('mask').describe(
      '"mask" leaves the kind of what was there, and the last four digits of a card; "remove" leaves nothing.',
    ),
    detectors: z
      .array(Detector)
      .min(1)
      .default([...DETECTORS])
      .describe('What is looked for; an entry may have an action of its own: { name: jwt, action: remove }.'),
  }),
  example: { detectors: ['email', { name: 'jwt', action: 'remove' }] },

  create({ action, detectors }, { metrics }) {
    const actions = new Map<DetectorName, Action>()
    for (const entry of detectors) {
      if (typeof entry === 'string') actions.set(entry, action)
      else actions.set(entry.name, entry.action)
    }
    const finders = FINDERS.filter((finder) => finder.detectors.some((name) => actions.has(name)))
    const found = new Map<DetectorName, number>()
    const count = (name: DetectorName): void => {
      found.set(name, (found.get(name) ?? 0) + 1)
    }
    const redactions = new Map(
      [...actions.keys()].map((detector) => [
        detector,
        metrics.counter('sluice_redactions_total', 'Matches masked or removed, by detector.', { detector }),
      ]),
    )

    return {
      process(batch) {
        batch.rewriteTexts(
          (bytes, start, end, hit) => {
            for (const finder of finders) finder.scan(bytes, start, end, hit)
          },
          (text) => finders.reduce((left, finder) => finder.redact(left, actions, count), text),
          'redaction_failed',
        )
        for (const [name, matches] of found) redactions.get(name)?.inc(matches)
        found.clear()
      },
    }
  },
})
