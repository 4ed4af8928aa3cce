import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { components } from '../../src/components.ts'
import type { ComponentDefinition } from '../../src/define.ts'
import { never, testContext } from '../support/component.ts'

interface Property {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Property>>
}

function undescribed({ properties = {} }: Property, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, property]) => [
    ...(property.description ? [] : [prefix + name]),
    ...undescribed(property, `${prefix}${name}.`),
  ])
}

function create(definition: ComponentDefinition) {
  const context = {
    ...testContext(definition.type),
    push: async () => {},
    groups: ['logs/drain'],
    status: () => ({ state: 'ok' as const, uptimeMs: 0, components: {} }),
    readings: async () => [],
  }
  return definition.create(definition.config.parse(definition.example) as never, context)
}

describe.each(components.map((definition) => [`${definition.kind} ${definition.type}`, definition] as const))(
  '%s',
  (_, definition) => {
    it('describes every setting', () => {
      const schema = z.toJSONSchema(definition.config, { io: 'input', unrepresentable: 'any' }) as Property
      expect(undescribed(schema)).toEqual([])
    })

    it('has an example that is a valid config', () => {
      expect(definition.config.safeParse(definition.example).success).toBe(true)
    })

    it('refuses a setting it does not know', () => {
      const config = { ...(definition.example as object), no_such_setting: 1 }
      expect(definition.config.safeParse(config).success).toBe(false)
    })

    it('stops without having started, and stops twice', async () => {
      const component = create(definition)
      await component.stop?.(never)
      await expect(component.stop?.(never) ?? Promise.resolve()).resolves.toBeUndefined()
    })
  },
)
