import type { Random } from './random.ts'

/** Something that reads what strangers write, and what is known of how it should. */
export interface FuzzTarget {
  /** Inputs to start from, which `random` decides. */
  seeds(random: Random): Buffer[]
  /** A new input out of an older one, and perhaps parts of another. */
  mutate(input: Buffer, other: Buffer, random: Random): Buffer
  /** Reads it as a receiver does before it answers. */
  door(input: Buffer): void
  /** Reads the input in every way there is. True where it was taken, false where it was refused as it should. Throws a defect. */
  run(input: Buffer): boolean
}

/** The answer of the code under test is wrong. */
export class Defect extends Error {
  override readonly name = 'Defect'
}
