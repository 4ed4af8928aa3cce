import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { rules } from '../../extensions/alerts/rules/index.ts'

interface PrometheusRules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly labels: { readonly severity: string } }[]
  }[]
}

const file = new URL('../../deploy/prometheus/alerts.yml', import.meta.url)
const { groups } = parse(readFileSync(file, 'utf8')) as PrometheusRules
const alerts = groups.flatMap((group) => group.rules)

describe('the rules for Prometheus', () => {
  it('are those of the extension, but for what no metric tells', () => {
    const names = rules.map(({ name }) => name).filter((name) => name !== 'SluiceComponentFailed')

    expect(new Set(alerts.map(({ alert }) => alert))).toEqual(new Set(names))
  })

  it.each(
    rules.flatMap(({ name, settings }) => {
      const { severity } = settings.parse({})
      return typeof severity === 'string' && name !== 'SluiceComponentFailed' ? [[name, severity]] : []
    }),
  )('%s is %s there, too', (name, severity) => {
    const found = alerts.filter(({ alert }) => alert === name)

    expect(found.map(({ labels }) => labels.severity)).toEqual([severity])
  })
})
