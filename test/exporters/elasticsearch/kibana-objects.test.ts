import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BulkRenderer } from '../../../exporters/elasticsearch/bulk.ts'
import { DASHBOARD_MODES, DEAD_LETTER } from '../../../exporters/elasticsearch/kibana/fields.ts'
import { kibanaObjects } from '../../../exporters/elasticsearch/kibana/objects.ts'
import { type SavedObject, toNdjson } from '../../../exporters/elasticsearch/kibana/saved-object.ts'
import { Mappings } from '../../../exporters/elasticsearch/mappings.ts'
import { Targets } from '../../../exporters/elasticsearch/target.ts'
import { LogBatch } from '../../../src/logs/batch.ts'
import { memory } from '../../../src/memory.ts'
import { accessLog } from './kibana-documents.ts'
import { comparisons, jsonOf, layerOf, panelsOf, searchSourceOf } from './kibana-queries.ts'

const objects = kibanaObjects()
const dashboards = objects.filter(({ type }) => type === 'dashboard')
const byId = new Map(objects.map((object) => [object.id, object]))

describe('the saved objects', () => {
  it('need nothing but each other', () => {
    const missing = objects.flatMap(({ id, references }) =>
      references.filter((needed) => byId.get(needed.id)?.type !== needed.type).map((needed) => [id, needed]),
    )

    expect(missing).toEqual([])
    expect(byId.size).toBe(objects.length)
  })

  it('stand after what they need, in a file of one object a line', () => {
    const lines = toNdjson(objects).trimEnd().split('\n')
    const seen = new Set<string>()
    for (const line of lines) {
      const { id, references } = JSON.parse(line) as SavedObject
      for (const needed of references) expect(seen, `${id} needs ${needed.id}`).toContain(needed.id)
      seen.add(id)
    }

    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(objects)
  })

  it('are the same whenever they are made', () => {
    expect(kibanaObjects()).toEqual(objects)
    expect(objects.filter(({ id }) => !/^sluice-[a-z-]+$/.test(id))).toEqual([])
  })

  it('have ids of their own in each space, also where they refer to them', () => {
    const there = toNdjson(kibanaObjects({ space: 'team-a' }))
    const ids = new Set(there.match(/sluice-(?:otel|ecs|dead|health|team)[\w-]*/g))

    expect([...ids].filter((id) => !id.startsWith('sluice-team-a-'))).toEqual([])
    expect(kibanaObjects({ space: 'default' })).toEqual(objects)
  })

  it('of one mode mention no other', () => {
    expect(toNdjson(kibanaObjects({ modes: ['ecs'] }))).not.toMatch(/resource\.attributes|sluice-otel/)
    expect(toNdjson(kibanaObjects({ modes: ['otel'] }))).not.toMatch(/event\.severity|sluice-ecs/)
  })

  it('look where they are told to', () => {
    const patterns = { otel: '*:logs-*.otel-*', ecs: 'logs-shop-*', deadLetters: 'letters' }
    const titles = kibanaObjects({ patterns })
      .filter(({ type }) => type === 'index-pattern')
      .map(({ attributes }) => attributes.title)

    expect(titles).toEqual(['*:logs-*.otel-*', 'logs-shop-*', 'letters'])
  })

  it('call slow what they are told to', () => {
    const slow = kibanaObjects({ slowMs: 250 }).filter(({ id }) => id.endsWith('-slow'))

    expect(slow.map((search) => searchSourceOf(search).query.query)).toEqual([
      'attributes.event.duration >= 250000000',
      'event.duration >= 250000000',
    ])
  })
})

describe.each(dashboards.map((dashboard) => [dashboard.attributes.title, dashboard] as const))(
  'the dashboard "%s"',
  (_, dashboard) => {
    const panels = panelsOf(dashboard)
    const reference = (name: string) => dashboard.references.find((needed) => needed.name === name)

    it('has for each panel a chart, or the saved search it names', () => {
      for (const { type, title, panelIndex, panelRefName, embeddableConfig } of panels) {
        const { attributes } = embeddableConfig
        if (type === 'lens') {
          const [{ id, name }] = attributes?.references ?? []
          expect(reference(`${panelIndex}:${name}`), title).toMatchObject({ type: 'index-pattern', id })
        } else {
          expect(reference(`${panelIndex}:${panelRefName}`), title).toMatchObject({ type: 'search' })
        }
      }
      const controls = Object.keys(
        JSON.parse((dashboard.attributes.controlGroupInput as { panelsJSON: string }).panelsJSON) as object,
      )
      expect(dashboard.references).toHaveLength(panels.length + controls.length)
      for (const id of controls) {
        expect(reference(`controlGroup_${id}:optionsListDataView`)).toMatchObject({ type: 'index-pattern' })
      }
    })

    it('shows in each chart columns that the chart has', () => {
      for (const { embeddableConfig } of panels) {
        const { attributes } = embeddableConfig
        if (attributes === undefined) continue
        const { columns, columnOrder } = layerOf(attributes)
        const { layers = [], ...visualization } = attributes.state.visualization as {
          layers?: { accessors: string[]; xAccessor: string; splitAccessor?: string }[]
          metricAccessor?: string
          columns?: { columnId: string }[]
        }
        const shown = [
          visualization.metricAccessor,
          ...(visualization.columns ?? []).map(({ columnId }) => columnId),
          ...layers.flatMap(({ accessors, xAccessor, splitAccessor }) => [
            ...accessors,
            xAccessor,
            splitAccessor,
          ]),
        ].filter((id) => id !== undefined)
        const needed = Object.values(columns).flatMap(({ references = [] }) => references)

        expect(shown.length).toBeGreaterThan(0)
        expect(Object.keys(columns)).toEqual(expect.arrayContaining([...shown, ...needed]))
        expect(columnOrder).toEqual(Object.keys(columns))
        const firstValue = columnOrder.findIndex((id) => !columns[id].isBucketed)
        expect(columnOrder.slice(firstValue).filter((id) => columns[id].isBucketed)).toEqual([])
      }
    })

    it('lays its panels side by side', () => {
      const cells = new Set<string>()
      const taken: string[] = []
      for (const { gridData, title } of panels) {
        expect(gridData.x + gridData.w, title).toBeLessThanOrEqual(48)
        for (let x = gridData.x; x < gridData.x + gridData.w; x++) {
          for (let y = gridData.y; y < gridData.y + gridData.h; y++) {
            const cell = `${x},${y}`
            if (cells.has(cell)) taken.push(title)
            cells.add(cell)
          }
        }
      }
      expect(taken).toEqual([])
    })
  },
)

/** By data view: the fields that its searches, charts, controls and computed fields ask for. */
function fieldsInUse(): Map<string, Set<string>> {
  const inUse = new Map<string, Set<string>>()
  const use = (dataViewId: string, fields: readonly (string | undefined)[]): void => {
    const set = inUse.get(dataViewId) ?? new Set()
    for (const field of fields) if (field !== undefined && field !== '___records___') set.add(field)
    inUse.set(dataViewId, set)
  }
  const inKql = (kql: string): string[] => comparisons(kql).map(({ field }) => field)
  for (const object of objects) {
    if (object.type === 'index-pattern') {
      const scripts = object.attributes.runtimeFieldMap as string
      use(
        object.id,
        [...scripts.matchAll(/doc\['([^']+)'\]/g)].map(([, field]) => field),
      )
      use(object.id, Object.keys(jsonOf<object>(object, 'fieldFormatMap')))
    } else if (object.type === 'search') {
      use(object.references[0].id, object.attributes.columns as string[])
      use(object.references[0].id, inKql(searchSourceOf(object).query.query))
    } else {
      const { panelsJSON } = object.attributes.controlGroupInput as { panelsJSON: string }
      const controls = JSON.parse(panelsJSON) as Record<string, { explicitInput: { fieldName: string } }>
      for (const [id, { explicitInput }] of Object.entries(controls)) {
        const needed = object.references.find(({ name }) => name.startsWith(`controlGroup_${id}:`))
        use(needed?.id ?? '', [explicitInput.fieldName])
      }
      for (const { embeddableConfig } of panelsOf(object)) {
        const { attributes } = embeddableConfig
        if (attributes === undefined) continue
        const { columns, kql } = layerOf(attributes)
        use(attributes.references[0].id, inKql(kql))
        for (const { sourceField, filter, params } of Object.values(columns)) {
          use(attributes.references[0].id, [sourceField, ...inKql(filter?.query ?? '')])
          const filters = (params?.filters ?? []) as { input: { query: string } }[]
          for (const { input } of filters) use(attributes.references[0].id, inKql(input.query))
        }
      }
    }
  }
  return inUse
}

describe('the fields in use', () => {
  const inUse = fieldsInUse()

  it.each(DASHBOARD_MODES)('are fields of documents in mode %s', (mode) => {
    const golden = JSON.parse(
      readFileSync(new URL(`golden/${mode}.json`, import.meta.url), 'utf8'),
    ) as Record<string, { documents: { document: object }[] }>
    const known = new Set([
      '@timestamp',
      ...Object.values(golden).flatMap(({ documents }) =>
        documents.flatMap(({ document }) => leaves(document)),
      ),
      ...accessDocuments(mode).flatMap((document) => leaves(document)),
      // Not of the document that is sent: the data view computes one, an ingest pipeline may set the other.
      'sluice_delay_ms',
      'event.ingested',
    ])

    const unknown = [...(inUse.get(`sluice-${mode}`) ?? [])].filter((field) => !known.has(field))

    expect(unknown).toEqual([])
    expect(inUse.get(`sluice-${mode}`)?.size).toBeGreaterThan(12)
  })

  it('are those of dead letters over these', () => {
    expect(inUse.get('sluice-dead-letters')).toEqual(new Set([...Object.values(DEAD_LETTER), '@timestamp']))
  })
})

function accessDocuments(mode: (typeof DASHBOARD_MODES)[number]): object[] {
  const mappings = new Mappings({ mode, allowed: [mode] })
  const renderer = new BulkRenderer(new Targets(), mappings, { attribute: false, batch: false })
  const { body } = renderer.render(LogBatch.decode(accessLog('access')))
  const lines = body.toString().trimEnd().split('\n')
  memory.give(body)
  return lines.filter((_, at) => at % 2 === 1).map((line) => JSON.parse(line) as object)
}

/** Dotted names; a golden number is an object `{ number }`. */
function leaves(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'number' in value) return [path]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
}
