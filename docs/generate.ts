import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { components } from '../src/components.ts'
import { configJsonSchema } from '../src/config/json-schema.ts'
import { Service } from '../src/config/schema.ts'
import type { ComponentDefinition } from '../src/define.ts'

/** Files that are made from the components themselves; `npm run docs` writes them. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference.md', reference()],
    ['config/schema.json', `${JSON.stringify(configJsonSchema(components), null, 2)}\n`],
  ])
}

interface Property {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Property>>
  readonly anyOf?: readonly Property[]
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
    const nested = rowsOf(property, `${path}.`)
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, content] of generatedFiles()) {
    writeFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), content)
  }
}
