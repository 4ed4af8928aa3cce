/**
 * Why a field did not get the name, or the place, that it asked for: there are fields below it, or it is below one;
 * Elasticsearch keeps the name for itself; the same layer says it twice; a layer further in says it too; parts of the
 * name are empty.
 */
export type Clash = 'object' | 'reserved' | 'duplicate' | 'overridden' | 'name'

/** A value that wants to be a field. */
export interface Field {
  /** Parts are told apart by dots. */
  readonly name: string
  readonly slot: number
  /** It keeps its name whatever happens: fields that others would put below it stand beside it. */
  readonly fixed: boolean
  /** Fields of one layer say what they say with the same right. */
  readonly layer: number
  /** It is there for want of a better one: nobody misses it. */
  readonly fallback?: boolean | undefined
}

/** A part of names, and what stands at the name that ends with it. */
export interface FieldNode {
  readonly name: string
  /** The value that stands here, if any. */
  slot: number | undefined
  fixed: boolean
  layer: number
  readonly children: Map<string, FieldNode>
}

/** Elasticsearch's own fields, which no document may bring along. */
const METADATA: ReadonlySet<string> = new Set([
  '_doc_count',
  '_feature',
  '_field_names',
  '_id',
  '_ignored',
  '_ignored_source',
  '_index',
  '_index_mode',
  '_inference_fields',
  '_meta',
  '_nested_path',
  '_primary_term',
  '_recovery_source',
  '_routing',
  '_routing_hash',
  '_seq_no',
  '_size',
  '_source',
  '_tier',
  '_ts_routing_hash',
  '_tsid',
  '_type',
  '_version',
])
/** Deeper names keep their last dots: Elasticsearch takes 20 levels, and refuses them itself. */
const MAX_PARTS = 64
/** Longer names are not looked into: no term in Elasticsearch is as long. */
const MAX_NAME = 32_766

/**
 * Puts fields into one object without a name that is there twice, nor one that is a value and an object:
 *
 * - of two values for one name the first counts, so fields come in the order of their rank
 * - where `a` is a value and `a.b` is there as well, `a` becomes `a.value` (`value_` where that is taken)
 * - below a fixed `a`, `a.b.c` becomes `a_b_c`
 * - names of Elasticsearch's own fields, `_id` for one, stand below `refuge`, if there is one
 * - empty parts of a name are left out; one without any is `_`
 */
export function fieldTree(
  fields: readonly Field[],
  refuge: string | undefined,
): { readonly root: FieldNode; readonly clashes: ReadonlyMap<Clash, number> } {
  const clashes = new Map<Clash, number>()
  const count = (clash: Clash): void => void clashes.set(clash, (clashes.get(clash) ?? 0) + 1)
  const root = newNode('')
  for (const { name, slot, fixed, layer, fallback } of fields) {
    const parts = partsOf(name, refuge, count)
    let node = root
    for (const part of parts) {
      let child = node.children.get(part)
      if (child === undefined) node.children.set(part, (child = newNode(part)))
      node = child
    }
    if (node.slot === undefined) {
      node.slot = slot
      node.fixed = fixed
      node.layer = layer
    } else if (!fallback) count(node.layer === layer ? 'duplicate' : 'overridden')
  }
  resolve(root, count)
  return { root, clashes }
}

const newNode = (name: string, slot?: number): FieldNode => ({
  name,
  slot,
  fixed: false,
  layer: 0,
  children: new Map(),
})

function partsOf(name: string, refuge: string | undefined, count: (clash: Clash) => void): string[] {
  const all = name.length > MAX_NAME ? [name] : name.split('.')
  let parts = all.filter((part) => part.trim() !== '')
  if (parts.length < all.length) count('name')
  if (parts.length === 0) parts = ['_']
  if (refuge !== undefined && METADATA.has(parts[0])) {
    count('reserved')
    parts.unshift(refuge)
  }
  if (parts.length > MAX_PARTS) parts.push(parts.splice(MAX_PARTS - 1).join('.'))
  return parts
}

/** Settles every name that is a value and an object, innermost first. */
function resolve(parent: FieldNode, count: (clash: Clash) => void): void {
  const children = Array.from(parent.children.values())
  for (const node of children) {
    resolve(node, count)
    if (node.slot === undefined || node.children.size === 0) continue
    if (node.fixed) {
      for (const [path, slot] of valuesBelow(node, node.name)) {
        count('object')
        const name = freeName(parent, path)
        parent.children.set(name, newNode(name, slot))
      }
      node.children.clear()
    } else {
      count('object')
      const name = freeName(node, 'value')
      node.children.set(name, newNode(name, node.slot))
      node.slot = undefined
    }
  }
}

function freeName({ children }: FieldNode, name: string): string {
  let free = name
  while (children.has(free)) free += '_'
  return free
}

function* valuesBelow({ children }: FieldNode, path: string): Generator<[path: string, slot: number]> {
  for (const child of children.values()) {
    const name = `${path}_${child.name}`
    if (child.slot !== undefined) yield [name, child.slot]
    yield* valuesBelow(child, name)
  }
}
