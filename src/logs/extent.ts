/** The most that a request holds of what can be limited: the check at the door meets all of it anyway. */
export interface Extent {
  /** Attributes of one record, resource or scope. */
  readonly attributes: number
  /** Bytes of a key, at any depth. */
  readonly key: number
  /** Bytes of a text or bytes value outside of bodies, at any depth. */
  readonly value: number
  /** Bytes of a text or bytes value in a body, at any depth. */
  readonly body: number
}

/** What can be limited. */
export type Measure = keyof Extent

export const MEASURES: readonly Measure[] = ['attributes', 'key', 'value', 'body']
