import { Option } from 'commander'
import type { BufferAdmin } from '../buffer/admin.ts'
import { overflowGroup } from '../buffer/overflow.ts'
import type { ServiceConfig } from '../config/config.ts'
import { ConfigError } from '../config/errors.ts'
import { suggestion } from '../config/nearest.ts'
import { createLogger } from '../telemetry/logger.ts'
import { readConfig } from './config-file.ts'
import type { CliContext } from './context.ts'

export interface BufferOptions {
  readonly config?: string
  readonly connector?: string
  readonly json?: boolean
}

/** A buffer of the config, to work on. */
export interface OpenBuffer {
  readonly id: string
  /** Pipelines that read from it. */
  readonly groups: readonly string[]
  readonly admin: BufferAdmin
}

export function connectorOption(): Option {
  return new Option('--connector <id>', 'which buffer, where the config has several')
}

/** Opens the buffer that the options name, for as long as `use` takes. */
export async function withBuffer(
  options: BufferOptions,
  context: CliContext,
  use: (buffer: OpenBuffer) => Promise<void>,
): Promise<void> {
  const config = readConfig(options.config, context)
  const id = chooseConnector(options.connector, config)
  const { definition, config: settings } = config.connectors.get(id) as NonNullable<
    ReturnType<ServiceConfig['connectors']['get']>
  >
  const groups = groupsOf(id, config)
  const log = createLogger({
    level: 'warn',
    encoding: 'console',
    destination: { write: (line) => void context.stderr.write(line) },
  }).child({ connector: id })
  const admin = await definition.administer?.(settings, { groups, log })
  if (admin === undefined) throw new Error(`${id} cannot be administered`)
  try {
    await use({ id, groups, admin })
  } finally {
    await admin.close()
  }
}

function chooseConnector(named: string | undefined, { connectors, overflows }: ServiceConfig): string {
  const able = [...connectors.values()]
    .filter(({ definition }) => definition.administer !== undefined)
    .map(({ id }) => id)
  if (named !== undefined) {
    if (able.includes(named)) return named
    throw ConfigError.about('--connector', `there is no buffer "${named}"${suggestion(named, able)}`)
  }
  const spills = [...overflows.values()]
  const [first, ...others] = able.filter((id) => !spills.includes(id))
  if (first === undefined) throw ConfigError.about('--connector', 'the config has no buffer')
  if (others.length === 0) return first
  throw ConfigError.about('--connector', `say which buffer is meant: ${able.join(', ')}`)
}

function groupsOf(id: string, config: ServiceConfig): readonly string[] {
  const owner = [...config.overflows].find(([, overflow]) => overflow === id)?.[0]
  return owner === undefined ? config.groups(id) : [overflowGroup(owner)]
}
