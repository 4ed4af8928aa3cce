/** Whether the long form runs: more rounds, seeds and seconds. See docs/testing-faults.md. */
export const LONG = process.env.SLUICE_FAULTS === 'long'

/** One value for the form that is part of every test run, another for the long one. */
export const scaled = <T>(short: T, long: T): T => (LONG ? long : short)

/** Milliseconds a test may take. */
export const timeLimit = (shortSeconds: number, longSeconds: number): number =>
  1000 * scaled(shortSeconds, longSeconds)
