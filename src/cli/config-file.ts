import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Option } from 'commander'
import { loadConfig, type ServiceConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { ConfigError } from '../config/errors.ts'
import type { CliContext } from './context.ts'
import { packageFile } from './package.ts'

/** The option that all commands with a config share. */
export function configOption(): Option {
  return new Option(
    '-c, --config <file>',
    'config file; otherwise $SLUICE_CONFIG, or a ready-made one that fits $REDIS_URL and $ELASTICSEARCH_URL',
  )
}

/** Reads and checks the config that the user means. Throws a `ConfigError`. */
export function readConfig(
  option: string | undefined,
  { components, env }: Pick<CliContext, 'components' | 'env'>,
): ServiceConfig {
  const file = chooseConfig(option, env)
  return loadConfig(file, readText(file), components, env)
}

/** The file named by `--config` or `SLUICE_CONFIG`, or the ready-made one for the servers that the environment names. */
export function chooseConfig(option: string | undefined, env: Environment): string {
  const named = option ?? env.SLUICE_CONFIG
  if (named) return named
  return fileURLToPath(packageFile(`config/${readyMade(env)}.yaml`))
}

function readyMade({ REDIS_URL: redis, ELASTICSEARCH_URL: elasticsearch }: Environment): string {
  if (redis) return elasticsearch ? 'redis-elasticsearch' : 'redis-file'
  return elasticsearch ? 'disk-elasticsearch' : 'default'
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw ConfigError.about(file, code === 'ENOENT' ? 'there is no such file' : `unreadable (${code})`, {
      cause,
    })
  }
}
