import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { kibanaObjects } from '../exporters/elasticsearch/kibana/objects.ts'
import { toNdjson } from '../exporters/elasticsearch/kibana/saved-object.ts'
import { rules } from '../extensions/alerts/rules/index.ts'
import { components } from '../src/components.ts'
import { configJsonSchema } from '../src/config/json-schema.ts'
import { Service } from '../src/config/schema.ts'
import type { ComponentDefinition } from '../src/define.ts'
import { conformancePage } from '../test/receivers/otlp/conformance/page.ts'

/** Files that are made from the code itself; `npm run docs` writes them. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference.md', reference()],
    ['docs/alerts.md', alertsPage()],
    ['docs/otlp-conformance.md', conformancePage()],
    ['config/schema.json', `${JSON.stringify(configJsonSchema(components), null, 2)}\n`],
    ['deploy/kibana/sluice.ndjson', toNdjson(kibanaObjects())],
  ])
}

interface Property {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Property>>
  readonly anyOf?: readonly Property[]
  readonly additionalProperties?: Property | boolean
}

function reference(): string {
  const sections = components.map(section)
  const service = `## service\n\nWhich pipelines run, and how.\n\n${table(Service)}`
  return `# Settings\n\nMade from the code by \`npm run docs\`.\n\n${[...sections, service].join('\n')}`
}

function section({ kind, type, summary, config }: ComponentDefinition): string {
  return `## ${kind} \`${type}\`\n\n${summary}\n\n${table(config)}`
}

function table(schema: z.ZodType): string {
  const rows = rowsOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Property, '')
  if (rows.length === 0) return 'No settings.\n'
  return `| setting | default | what it does |\n|---|---|---|\n${rows.join('\n')}\n`
}

function rowsOf({ properties, anyOf = [] }: Property, prefix: string): string[] {
  // What may also be left empty, as `grpc:` may, is an object or nothing.
  const all = properties ?? anyOf.find((choice) => choice.properties)?.properties ?? {}
  return Object.entries(all).flatMap(([name, property]) => {
    const path = prefix + name
    const { additionalProperties: named } = property
    const nested = typeof named === 'object' ? rowsOf(named, `${path}.<name>.`) : rowsOf(property, `${path}.`)
    const value =
      property.default === undefined || nested.length > 0 ? '' : `\`${JSON.stringify(property.default)}\``
    const choices = property.enum
      ? ` One of ${property.enum.map((choice) => `\`${String(choice)}\``).join(', ')}.`
      : ''
    return [
      `| \`${path}\` | ${value} | ${(property.description ?? '').replaceAll('|', '\\|')}${choices} |`,
      ...nested,
    ]
  })
}

const TABLE = /(?<=<!-- Made from the code by `npm run docs`\. -->\n)[^]*(?=<!-- Until here\. -->)/

/** The page on alerts, with a new table of all rules in its place. */
function alertsPage(): string {
  const page = readFileSync(new URL('alerts.md', import.meta.url), 'utf8')
  const rows = rules.map(({ key, name, meaning, action, settings }) => {
    const { properties = {} } = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }) as Property
    const defaults = Object.entries(properties)
      .filter(([setting]) => setting !== 'enabled')
      .map(([setting, property]) => `${setting} ${String(property.default)}`)
    return `| \`${name}\` \`${key}\` | ${meaning} | ${defaults.join(', ')} | ${action} |`
  })
  const head = '| alert, and its key under `rules` | meaning | defaults | what to do |\n|---|---|---|---|\n'
  return page.replace(TABLE, () => `${head}${rows.join('\n')}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of generatedFiles()) {
    writeFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), content)
  }
}
