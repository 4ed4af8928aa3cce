import type { Field } from './field-tree.ts'
import type { Leaf } from './shapes.ts'

/** What a document holds besides attributes; numbers below 64. */
export const SLOT = {
  time: 0,
  dataStream: 1,
  observed: 2,
  traceId: 3,
  spanId: 4,
  flags: 5,
  severityNumber: 6,
  severityText: 7,
  level: 8,
  eventName: 9,
  text: 10,
  json: 11,
  structured: 12,
  body: 13,
} as const

/** What a record has: bits of a set. */
export const HAS = {
  observed: 1,
  traceId: 2,
  spanId: 4,
  severityNumber: 8,
  severityText: 16,
  level: 32,
  eventName: 64,
  /** A body of text or bytes. */
  text: 128,
  /** Any other body that is no map. */
  value: 256,
  /** A map. */
  map: 512,
  END: 1024,
} as const

/** Who says something: what is further in counts before what is further out. */
export type Layer = 'record' | 'scope' | 'resource'

/** A name that an attribute asks for; of two attributes that ask for the same, the lower rank counts. */
export interface Place {
  readonly name: string
  readonly rank: number
  /** Nobody misses it where the name is taken. */
  readonly fallback?: boolean
}

/** A field that is no attribute. */
export type OwnField = Pick<Field, 'name' | 'slot'>

/** How the fields of a mapping mode are called. */
export interface FieldScheme {
  /** Parts of a name are objects in one another, not one name with dots. */
  readonly nested: boolean
  /** A body that is a map is fields, not one value. */
  readonly flattensBody: boolean
  /** The object that takes names Elasticsearch keeps for itself. */
  readonly refuge: string
  /** Fields that are no attributes, those that `has` tells of, in the order they are written. */
  own(has: number): readonly OwnField[]
  /** The fields that an attribute, or a value in the body, becomes; mostly one. */
  places(leaf: Leaf, layer: Layer): readonly Place[]
  /** Names that keep their place: see `Field`. */
  isFixed(name: string): boolean
  /** The field that the scope's name becomes, for want of an attribute that says the same. */
  readonly scopeName: string
  /** The same of its version; undefined leaves it out. */
  readonly scopeVersion: string | undefined
  /** Names and versions stand there even when empty. */
  readonly emptyNames: boolean
}
