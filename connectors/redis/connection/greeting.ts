import { setTimeout as sleep } from 'node:timers/promises'
import { RetryableError } from '../../../src/component.ts'
import { isReply } from './errors.ts'
import { parseInfo, versionOf } from './info.ts'
import type { Link } from './link.ts'

const LOADING_PAUSE = 250

/** Who answers. */
export interface Greeting {
  /** The run of the server; empty where the user may not ask. */
  readonly server: string
  /** `Redis 7.2.4` for one; empty where the user may not ask. */
  readonly version: string
}

export interface GreetOptions {
  readonly address: string
  /** Whether the server must be a primary, and another may take its place while it loads. */
  readonly roams: boolean
  /** Called while the server reads its data from disk, with what to tell senders. */
  readonly onLoading: (trouble: RetryableError) => void
}

/** Learns who answers over a link, once the server has read its data from disk. */
export async function greet(link: Link, { address, roams, onLoading }: GreetOptions): Promise<Greeting> {
  for (;;) {
    const info = await ask(link)
    const role = info.get('role')
    if (roams && role !== undefined && role !== 'master') throw new Error('is a replica, and no primary')
    if (info.get('loading') !== '1') return { server: info.get('run_id') ?? '', version: versionOf(info) }
    const loading = new RetryableError(`${address} is reading its data from disk`, { reason: 'loading' })
    if (roams) throw loading
    onLoading(loading)
    await sleep(LOADING_PAUSE)
  }
}

async function ask(link: Link): Promise<ReadonlyMap<string, string>> {
  try {
    return parseInfo(await link.send('INFO', []))
  } catch (error) {
    if (!isReply(error)) throw error
    // A user who may not ask is connected all the same; what reads the state of the server will say so.
    return new Map()
  }
}
