import { basename } from 'node:path'
import process from 'node:process'
import { VERSION } from '../version.ts'

/** The process. Not its arguments: secrets are passed in them. */
export function processAttributes(): Record<string, unknown> {
  const versions: Record<string, string | undefined> = process.versions
  const runtime = versions.bun !== undefined ? 'bun' : versions.deno !== undefined ? 'deno' : 'nodejs'
  return {
    'process.pid': process.pid,
    'process.parent_pid': process.ppid,
    'process.executable.name': basename(process.execPath),
    'process.executable.path': process.execPath,
    'process.command': process.argv[1],
    'process.runtime.name': runtime,
    'process.runtime.version': versions[runtime === 'nodejs' ? 'node' : runtime],
  }
}

/** The library, as the semantic conventions want it named: `opentelemetry` is the project's own. */
export const TELEMETRY_SDK = {
  'telemetry.sdk.name': '@sluice/logs',
  'telemetry.sdk.language': 'nodejs',
  'telemetry.sdk.version': VERSION,
} as const
