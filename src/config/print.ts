import { stringify } from 'yaml'
import { z } from 'zod'
import type { Configured } from './components.ts'
import type { ServiceConfig } from './config.ts'
import { KINDS, Pipeline, Service } from './schema.ts'

/** What this file reads of a JSON Schema. */
interface JsonSchema {
  readonly secret?: boolean
  readonly default?: unknown
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly required?: readonly string[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

const MASK = '****'

/** The config as it takes effect, with every default filled in and every secret masked. */
export function redactedYaml(config: ServiceConfig): string {
  const file: Record<string, unknown> = {}
  for (const kind of KINDS) {
    const components: ReadonlyMap<string, Configured> = config[`${kind}s`]
    if (components.size === 0) continue
    file[`${kind}s`] = Object.fromEntries(
      [...components].map(([id, { definition, written }]) => [id, effective(definition.config, written)]),
    )
  }
  const pipelines = config.pipelines.map(({ name, ...lists }) => [name, effective(Pipeline, lists)])
  file.service = effective(Service, { ...config.written, pipelines: Object.fromEntries(pipelines) })
  return stringify(file, { aliasDuplicateObjects: false, lineWidth: 0 })
}

function effective(schema: z.ZodType, written: unknown): unknown {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  return fill(json, written, json)
}

function fill(schema: JsonSchema, written: unknown, root: JsonSchema): unknown {
  const value = written === undefined ? schema.default : written
  if (schema.secret && value) return MASK
  const inner = [...(schema.$ref ? [referenced(schema.$ref, root)] : []), ...(schema.allOf ?? [])]
  const variants = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter((variant) =>
    fits(variant, value),
  )
  const filled = [...inner, ...variants].reduce((result, part) => fill(part, result, root), value)

  if (typeof filled === 'string') return printable(filled)
  if (Array.isArray(filled)) return filled.map((item) => fill(schema.items ?? {}, item, root))
  if (typeof filled !== 'object' || filled === null) return filled

  const { properties = {}, additionalProperties } = schema
  const others = typeof additionalProperties === 'object' ? additionalProperties : {}
  const result: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(properties), ...Object.keys(filled)])) {
    const field = fill(properties[key] ?? others, (filled as Record<string, unknown>)[key], root)
    if (field !== undefined) result[key] = field
  }
  return result
}

/** Without the password of a URL, and with `${` as one has to write it. */
function printable(text: string): string {
  return text.replaceAll(/(:\/\/)[^/\s]*@/g, `$1${MASK}@`).replaceAll(/\$+(?=\{)/g, '$&$&')
}

/** Whether a value may be meant for this variant of a union; where several fit, each masks its secrets. */
function fits({ properties, required = [], additionalProperties }: JsonSchema, value: unknown): boolean {
  if (properties === undefined || typeof value !== 'object' || value === null) return true
  return (
    required.every((key) => key in value) &&
    Object.entries(value).every(([key, field]) => {
      const expected = properties[key]
      if (expected === undefined) return additionalProperties !== false
      return expected.const === undefined || expected.const === field
    })
  )
}

function referenced(reference: string, root: JsonSchema): JsonSchema {
  return root.$defs?.[reference.replace('#/$defs/', '')] ?? root
}
