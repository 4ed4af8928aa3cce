/** What stands in a record in place of what could not, or was not to, be in it. */
export const CIRCULAR = '[Circular]'
/** An object, and an array, below the deepest level. */
export const DEEP_OBJECT = '[Object]'
export const DEEP_ARRAY = '[Array]'
/** A getter, a proxy or a conversion that threw. */
export const THROWS = '[Throws]'
/** At the end of a text that was cut. */
export const TRUNCATED = '…[truncated]'
/** The key, in an object, under which the number of left out entries stands. */
export const REST = '...'

/** Stands for the elements of an array or an object that were left out. */
export const more = (count: number): string => `${count} more`
