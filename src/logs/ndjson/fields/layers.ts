import type { Field } from './field-tree.ts'
import type { FieldScheme, Layer } from './scheme.ts'
import type { Leaf, Shape } from './shapes.ts'

/** The fields that are no attributes, and those of each layer, as `Field` tells them apart. */
export const LAYERS: Readonly<Record<Layer | 'own', number>> = { own: 0, record: 1, scope: 2, resource: 3 }

/** The fields that the values of a shape become, in the order of their rank. `slotOf` says where the values are. */
export function fieldsOf(
  { leaves }: Shape,
  layer: Layer,
  scheme: FieldScheme,
  slotOf: (leaf: Leaf, index: number) => number,
): Field[] {
  const fields = leaves.flatMap((leaf, index) =>
    scheme.places(leaf, layer).map(({ name, rank, fallback }) => {
      const field = { name, slot: slotOf(leaf, index), fixed: scheme.isFixed(name), layer: LAYERS[layer] }
      return { rank, field: { ...field, fallback } }
    }),
  )
  return fields.sort((a, b) => a.rank - b.rank).map(({ field }) => field)
}
