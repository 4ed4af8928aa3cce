import { z } from 'zod'
import { defineProcessor } from '../../src/define.ts'
import { isKept, spread, thresholdOf } from './threshold.ts'

/** Severity numbers where each level begins (opentelemetry-proto logs.proto). */
const LEVELS = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 } as const
const Level = z.enum(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'])

/** Rules in the order they decide; each is a value of the metric's `policy` label. */
const RULES = ['keep_severity', 'min_severity', 'trace_id', 'record_hash'] as const
type Rule = (typeof RULES)[number]

/** Keeps what matters and a fair share of the rest: all records of a trace, or none. */
export const sampling = defineProcessor({
  type: 'sampling',
  summary: 'Keeps severe records always and a percentage of the others, consistently by trace id.',
  config: z.strictObject({
    sampling_percentage: z
      .number()
      .min(0)
      .max(100)
      .default(100)
      .describe('Share of the records to keep, where no severity rule decides.'),
    keep_severity: Level.default('ERROR').describe('Records of this severity and above are always kept.'),
    min_severity: Level.optional().describe(
      'Records below this severity are always dropped. Those without one are not.',
    ),
  }),
  example: { sampling_percentage: 10 },

  create({ sampling_percentage, keep_severity, min_severity }, { metrics }) {
    const threshold = thresholdOf(sampling_percentage)
    const keepFrom = LEVELS[keep_severity]
    const dropBelow = min_severity === undefined ? 0 : LEVELS[min_severity]
    const counter = (policy: Rule, sampled: boolean) =>
      metrics.counter(
        'otelcol_processor_probabilistic_sampler_count_logs_sampled',
        'Log records kept (sampled="true") and dropped, by the rule that decided.',
        { policy, sampled: String(sampled) },
      )
    const decisions = RULES.map((rule) => ({
      rule,
      reason: `sampling_${rule}`,
      kept: counter(rule, true),
      dropped: counter(rule, false),
    }))
    const kept = new Uint32Array(RULES.length)
    const dropped = new Uint32Array(RULES.length)
    const [KEEP, MINIMUM, TRACE, HASH] = [0, 1, 2, 3]

    return {
      process(batch) {
        batch.forEach((record) => {
          const severity = record.severityNumber
          let rule = KEEP
          let keep = true
          if (severity < keepFrom) {
            if (severity > 0 && severity < dropBelow) {
              rule = MINIMUM
              keep = false
            } else if (record.traceIdState === 'valid') {
              rule = TRACE
              keep = isKept(record.traceRandomHigh, record.traceRandomLow, threshold)
            } else {
              rule = HASH
              if (sampling_percentage < 100) {
                const { high, low } = spread(record.hash)
                keep = isKept(high, low, threshold)
              }
            }
          }
          if (keep) kept[rule]++
          else {
            dropped[rule]++
            record.drop(decisions[rule].reason)
          }
        })
        decisions.forEach((decision, rule) => {
          if (kept[rule] > 0) decision.kept.inc(kept[rule])
          if (dropped[rule] > 0) decision.dropped.inc(dropped[rule])
        })
        kept.fill(0)
        dropped.fill(0)
      },
    }
  },
})
