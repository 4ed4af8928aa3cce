import type { Target } from './link.ts'

/** Finds the server that commands go to. */
export interface Locator {
  /** What is looked for, for messages: without secrets, and the same whatever is found. */
  readonly address: string
  /** Whether another server may be found the next time: what is found must then be a primary. */
  readonly roams: boolean
  /** Where it is now. Throws where nobody tells. */
  find(): Promise<Target>
  /** Takes note of a refusal that may tell where to look next. */
  refused?(answer: string): void
  /** Whether others say by now that it is not the one any more, where the server itself may not know. */
  replaced?(target: Target): Promise<boolean>
  /** Ends what it keeps open. */
  close?(): void
}

/** `host:port`, with brackets around IPv6. */
export interface Node {
  readonly host: string
  readonly port: number
}

export const nameOf = ({ host, port }: Node): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** For a server that is always at the same place. */
export function fixed(address: string, target: () => Promise<Target>): Locator {
  return { address, roams: false, find: target }
}
