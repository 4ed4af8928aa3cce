import type { LensAttributes } from './lens.ts'
import { type Reference, type SavedObject, savedObject } from './saved-object.ts'

/** A chart, or a saved search by its id, and its size: a dashboard is 48 columns wide. */
export interface Panel {
  readonly width: number
  readonly height: number
  readonly content: LensAttributes | { readonly title: string; readonly searchId: string }
}

/** A list to choose the values of a field from. */
export interface Control {
  readonly field: string
  readonly title: string
  readonly dataViewId: string
}

export interface Dashboard {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly controls: readonly Control[]
  /** Laid out from left to right, in rows. */
  readonly panels: readonly Panel[]
}

const COLUMNS = 48
/** The shape of the panels; Kibana migrates what is older than itself. */
const PANEL_VERSION = '8.9.0'

/** A dashboard that holds its charts and refers to the saved searches and data views. */
export function dashboardObject({ id, title, description, controls, panels }: Dashboard): SavedObject {
  const references: Reference[] = []
  const grid = places(panels)
  const panelsJson = panels.map(({ content }, at) => {
    const i = String(at + 1)
    const panel = {
      version: PANEL_VERSION,
      gridData: { ...grid[at], i },
      panelIndex: i,
      title: content.title,
    }
    if ('searchId' in content) {
      const name = `panel_${i}`
      references.push({ type: 'search', id: content.searchId, name: `${i}:${name}` })
      return { ...panel, type: 'search', embeddableConfig: { enhancements: {} }, panelRefName: name }
    }
    for (const reference of content.references) {
      references.push({ ...reference, name: `${i}:${reference.name}` })
    }
    const embeddableConfig = { attributes: content, enhancements: {}, hidePanelTitles: false }
    return { ...panel, type: 'lens', embeddableConfig }
  })
  for (const [at, { dataViewId }] of controls.entries()) {
    references.push({
      type: 'index-pattern',
      id: dataViewId,
      name: `controlGroup_${controlId(at)}:optionsListDataView`,
    })
  }
  return savedObject(
    'dashboard',
    id,
    {
      title,
      description,
      hits: 0,
      version: 1,
      timeRestore: true,
      timeFrom: 'now-24h',
      timeTo: 'now',
      refreshInterval: { pause: true, value: 60_000 },
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: true,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      controlGroupInput: controlGroup(controls),
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: { query: '', language: 'kuery' }, filter: [] }),
      },
      panelsJSON: JSON.stringify(panelsJson),
    },
    references,
  )
}

/** Rows are filled from the left; one is as high as its highest panel. */
function places(panels: readonly Panel[]): { x: number; y: number; w: number; h: number }[] {
  let x = 0
  let y = 0
  let rowHeight = 0
  return panels.map(({ width, height }) => {
    if (x + width > COLUMNS) {
      y += rowHeight
      x = 0
      rowHeight = 0
    }
    const place = { x, y, w: width, h: height }
    x += width
    rowHeight = Math.max(rowHeight, height)
    return place
  })
}

const controlId = (at: number): string => `control-${at + 1}`

function controlGroup(controls: readonly Control[]): object {
  const panels = controls.map(({ field, title }, at) => {
    const explicitInput = { id: controlId(at), fieldName: field, title, enhancements: {} }
    return [
      controlId(at),
      { order: at, width: 'medium', grow: true, type: 'optionsListControl', explicitInput },
    ] as const
  })
  return {
    controlStyle: 'oneLine',
    chainingSystem: 'HIERARCHICAL',
    ignoreParentSettingsJSON: JSON.stringify({
      ignoreFilters: false,
      ignoreQuery: false,
      ignoreTimerange: false,
      ignoreValidations: false,
    }),
    panelsJSON: JSON.stringify(Object.fromEntries(panels)),
  }
}
