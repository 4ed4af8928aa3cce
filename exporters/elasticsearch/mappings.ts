import { BodyMapping } from '../../src/logs/ndjson/body-mapping.ts'
import { ECS } from '../../src/logs/ndjson/fields/ecs.ts'
import { FieldMapping } from '../../src/logs/ndjson/fields/field-mapping.ts'
import type { Clash } from '../../src/logs/ndjson/fields/field-tree.ts'
import { NONE, RAW } from '../../src/logs/ndjson/fields/plain.ts'
import { MAPPING_MODES, type Mapping, type MappingMode, UnfitError } from '../../src/logs/ndjson/mapping.ts'
import { OtelMapping } from '../../src/logs/ndjson/otel-document.ts'

/** Which shapes documents may have. */
export interface MappingOptions {
  /** That of records which ask for none. */
  readonly mode: MappingMode
  readonly allowed: readonly MappingMode[]
}

/** The mapping of each mode, made when it is first used. */
export class Mappings {
  readonly #options: MappingOptions
  readonly #made = new Map<MappingMode, Mapping>()

  constructor(options: MappingOptions = { mode: 'otel', allowed: MAPPING_MODES }) {
    this.#options = options
  }

  /** Whether the kernel helps with the usual mode. */
  get useKernel(): boolean {
    return this.#options.mode === 'otel'
  }

  /** The mode that an attribute asks for. Throws `UnfitError` when it may not. */
  modeOf(asked: string | undefined): MappingMode {
    if (asked === undefined) return this.#options.mode
    const name = canonicalName(asked)
    const mode = this.#options.allowed.find((allowed) => allowed === name)
    if (mode === undefined) {
      throw new UnfitError('mapping_mode', 'the mapping mode it asks for is not one of allowed_modes')
    }
    return mode
  }

  of(mode: MappingMode): Mapping {
    let mapping = this.#made.get(mode)
    if (mapping === undefined) this.#made.set(mode, (mapping = makeMapping(mode)))
    return mapping
  }

  /** How often fields clashed since the last call, by reason. */
  takeClashes(): ReadonlyMap<Clash, number> {
    const all = new Map<Clash, number>()
    for (const mapping of this.#made.values()) {
      if (!(mapping instanceof FieldMapping)) continue
      for (const [clash, times] of mapping.clashes) all.set(clash, (all.get(clash) ?? 0) + times)
      mapping.clashes.clear()
    }
    return all
  }
}

function makeMapping(mode: MappingMode): Mapping {
  switch (mode) {
    case 'otel':
      return new OtelMapping()
    case 'ecs':
      return new FieldMapping(ECS)
    case 'none':
      return new FieldMapping(NONE)
    case 'raw':
      return new FieldMapping(RAW)
    case 'bodymap':
      return new BodyMapping()
  }
}

/** The Collector takes any case, and `no` for `none`. */
function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower === 'no' ? 'none' : lower
}
