/**
 * The memory of the kernel. It never grows, so that views of it stay valid; pages that nobody touched cost nothing.
 * What does not fit is left to the TypeScript that does the same.
 */

/** What documents of one scope have in common. */
export const CONTEXT: i32 = 0x2_0000
export const CONTEXT_SIZE: i32 = 0x6_0000
/** Keys of the objects being written: where each begins, and its length. */
export const KEYS: i32 = 0x8_0000
/** Bytes being read that are no part of the input. */
export const ASIDE: i32 = 0xa_0000
export const ASIDE_SIZE: i32 = 0x6_0000
/** Bytes being read. */
export const INPUT: i32 = 0x10_0000
export const INPUT_SIZE: i32 = 0x200_0000
/** Tables of `check`, with the columns of `structure.ts`. */
export const RECORDS: i32 = 0x220_0000
export const MAX_RECORDS: i32 = 0x1_0000
export const SCOPES: i32 = 0x260_0000
export const RESOURCES: i32 = 0x264_0000
export const MAX_CONTEXTS: i32 = 0x1000
/** Positions that a scan found, 32 bits each. */
export const HITS: i32 = 0x270_0000
export const MAX_HITS: i32 = 0x4_0000
/** Bytes being written. */
export const OUTPUT: i32 = 0x280_0000
export const OUTPUT_SIZE: i32 = 0x200_0000

/** Raised where bytes are not what the kernel knows; whoever called asks the TypeScript for the same, or for the error. */
export let unusual: bool = false

export function begin(): void {
  unusual = false
}

/** Notes that the rest is not for the kernel. The result ends every loop: it lies past every end. */
export function giveUp(): i32 {
  unusual = true
  return 0x7fff_ffff
}
