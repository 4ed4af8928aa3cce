import type { ResourceView } from '../../../src/logs/resources.ts'

/** Longer values are cut. */
const MAX_VALUE_LENGTH = 64
const REPLACED = /[^A-Za-z0-9_.-]/g
/** Stands for an attribute that is missing, empty, or neither text nor number nor boolean. */
const UNKNOWN = 'unknown'
/** The placeholder that stands for the tenant of the credential. */
const TENANT = 'tenant'

/** A name with placeholders, `logs-{deployment.environment}`, that stand for attributes of a resource; `{tenant}` for its tenant. */
export class Template {
  readonly text: string
  /** Literals at even places, attribute names at odd ones. */
  readonly #parts: readonly string[]

  constructor(text: string) {
    this.text = text
    this.#parts = text.split(/[{}]/)
  }

  /** Without placeholders, the one name there is. */
  get fixed(): string | undefined {
    return this.#parts.length === 1 ? this.text : undefined
  }

  /** The name for a resource. Values are cut and keep letters, digits and `_.-`; other characters become `_`. */
  render(resource: ResourceView): string {
    return this.#parts
      .map((part, index) => (index % 2 === 0 ? part : nameOf(valueOf(resource, part))))
      .join('')
  }
}

/** A sender chooses the attributes of its resources, but not its tenant. */
function valueOf(resource: ResourceView, name: string): unknown {
  return name === TENANT ? resource.tenant : resource.attribute(name)
}

function nameOf(value: unknown): string {
  if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value)) return UNKNOWN
  return String(value).slice(0, MAX_VALUE_LENGTH).replace(REPLACED, '_') || UNKNOWN
}
