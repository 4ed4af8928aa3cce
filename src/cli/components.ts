import type { Command } from 'commander'
import { KINDS } from '../config/schema.ts'
import type { ComponentDefinition } from '../define.ts'
import type { CliContext } from './context.ts'

type Listed = Pick<ComponentDefinition, 'kind' | 'type' | 'summary'>

/** `sluice components`: lists what a config file may name. */
export function addComponents(program: Command, { components, stdout }: CliContext): void {
  program
    .command('components')
    .description('list the components that a config may use')
    .option('--json', 'as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      const list = components.map(({ kind, type, summary }): Listed => ({ kind, type, summary })).sort(byKind)
      stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : table(list))
    })
}

function byKind(a: Listed, b: Listed): number {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.type.localeCompare(b.type)
}

function table(list: readonly Listed[]): string {
  const width = Math.max(0, ...list.map(({ type }) => type.length))
  return list
    .map(({ kind, type, summary }) => `${kind.padEnd(9)}  ${type.padEnd(width)}  ${summary}\n`)
    .join('')
}
