import { describe, expect, it } from 'vitest'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { registry } from './fakes.ts'

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>
  readonly patternProperties: Readonly<Record<string, Schema>>
}

const schema = configJsonSchema(registry) as unknown as Schema

describe('the JSON Schema of a config', () => {
  it('has a section per kind, with the types of the registry and no others', () => {
    expect(Object.keys(schema.properties)).toEqual([
      'receivers',
      'processors',
      'exporters',
      'connectors',
      'extensions',
      'service',
    ])
    expect(schema.properties.connectors).toMatchObject({
      type: ['object', 'null'],
      additionalProperties: false,
      patternProperties: {
        '^redis(/[A-Za-z0-9._-]+)?$': { description: 'Buffers in Redis.', additionalProperties: false },
        '^disk(/[A-Za-z0-9._-]+)?$': { description: 'Buffers on the disk.' },
      },
    })
  })

  it('shows the default and description of an option, and allows a variable for it', () => {
    const { telemetry } = schema.properties.service.properties

    expect(telemetry.properties.metrics.properties.level).toEqual({
      description: '"none" opens no port.',
      default: 'normal',
      anyOf: [
        { type: 'string', enum: ['none', 'normal'] },
        { type: 'string', pattern: '\\$\\{' },
      ],
    })
  })

  it('describes a pipeline', () => {
    const { pipelines } = schema.properties.service.properties

    expect(Object.entries(pipelines.patternProperties)).toMatchObject([
      ['^logs(/[A-Za-z0-9._-]+)?$', { required: ['receivers', 'exporters'], additionalProperties: false }],
    ])
  })

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })
})
