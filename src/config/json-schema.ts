import { z } from 'zod'
import type { ComponentDefinition } from '../define.ts'
import { File, KINDS, Pipeline, Service } from './schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

const NAMED = '(/[A-Za-z0-9._-]+)?$'

/** The JSON Schema of a whole config file, with which editors complete and check it. */
export function configJsonSchema(registry: readonly ComponentDefinition[]): JsonSchema {
  const file = editorSchema(File)
  for (const kind of KINDS) {
    const definitions = registry.filter((definition) => definition.kind === kind)
    const types = definitions.map(({ type, summary, config }) => {
      const schema = editorSchema(config)
      return [`^${type}${NAMED}`, { ...schema, description: summary }] as const
    })
    Object.assign(property(file, `${kind}s`), closed(Object.fromEntries(types)))
  }
  const service = editorSchema(Service)
  Object.assign(property(service, 'pipelines'), closed({ [`^logs${NAMED}`]: editorSchema(Pipeline) }))
  Object.assign(property(file, 'service'), { ...service, description: File.shape.service.description })
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Sluice', ...file }
}

function closed(patternProperties: Record<string, JsonSchema>) {
  return { propertyNames: undefined, patternProperties, additionalProperties: false }
}

function property(schema: JsonSchema, name: string): JsonSchema {
  return schema.properties?.[name] as JsonSchema
}

/** What a user may write, which is a little more than the schema itself says. */
function editorSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // `grpc:` without a value is an empty mapping.
      if (jsonSchema.type === 'object') Object.assign(jsonSchema, { type: ['object', 'null'] })
      else allowVariables(jsonSchema)
    },
  })
  return json
}

/** `${env:PORT}` is a string wherever a number, a pattern or one of some words is wanted. */
function allowVariables(schema: JsonSchema): void {
  const { type, pattern, format, enum: words } = schema
  const isPlain = type === 'string' && !pattern && !format && !words
  if (typeof type !== 'string' || type === 'array' || isPlain || 'const' in schema) return
  const literal: JsonSchema = {}
  for (const key of Object.keys(schema)) {
    if (key === 'description' || key === 'default') continue
    literal[key] = schema[key]
    delete schema[key]
  }
  schema.anyOf = [literal, { type: 'string', pattern: '\\$\\{' }]
}
