import type { RedisConfig } from '../config.ts'
import { type Keys, keysOf } from './keys.ts'
import { Template } from './template.ts'

type NamingConfig = Pick<RedisConfig, 'stream' | 'list' | 'key_prefix'>

/** How the streams of a connector are called, and where their keys lie. */
export class Naming {
  readonly template: Template
  readonly groups: readonly string[]
  /** What batch ids are made with; shared by all gateways of the connector's streams. */
  readonly identity: string
  /** Sorted set of the streams that a template has led to; in the slot of the identity. */
  readonly streams: string
  readonly #prefix: string
  readonly #list: boolean

  constructor({ stream, list, key_prefix }: NamingConfig, groups: readonly string[]) {
    this.template = new Template(list ?? stream)
    this.groups = groups
    this.#prefix = key_prefix
    this.#list = list !== undefined
    // No stream is called so: the angles are not among its letters.
    const home = this.template.text.replaceAll('{', '<').replaceAll('}', '>')
    this.identity = `${key_prefix}:{${home}}:key`
    this.streams = `${key_prefix}:{${home}}:streams`
  }

  keys(stream: string): Keys {
    return keysOf(this.#prefix, stream, this.#list, this.groups.length)
  }
}
