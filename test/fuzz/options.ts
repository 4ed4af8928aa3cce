import { parseArgs } from 'node:util'

export const HELP = `npm run fuzz -- [options]

--target NAME   wire, json, live, or all one after the other (all)
--minutes N     of each target (1)
--seed N        inputs follow from it (1)
--grpc NAME     implementation of gRPC that live attacks: sluice, http2, grpc-js (sluice)
--folder PATH   where inputs are kept that show a defect (data/fuzz)
--no-coverage   every input starts from the seeds, instead of from those that reached new code
`

const NAMES = ['wire', 'json', 'live'] as const
export type Name = (typeof NAMES)[number]

export interface Options {
  readonly targets: readonly Name[]
  readonly minutes: number
  readonly seed: number
  /** Implementation of gRPC that is attacked live. */
  readonly grpc: string
  readonly folder: string
  readonly withCoverage: boolean
}

/** Throws with the reason when `args` cannot be understood; undefined when help is asked for. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      target: { type: 'string', default: 'all' },
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      grpc: { type: 'string', default: 'sluice' },
      folder: { type: 'string', default: 'data/fuzz' },
      'no-coverage': { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const targets = NAMES.filter((name) => values.target === 'all' || name === values.target)
  if (targets.length === 0)
    throw new Error(`--target is "${values.target}"; expected ${NAMES.join(', ')} or all`)
  const number = (name: 'minutes' | 'seed'): number => {
    const value = Number(values[name])
    if (!(value > 0)) throw new Error(`--${name} is "${values[name]}"; expected more than 0`)
    return value
  }
  return {
    targets,
    minutes: number('minutes'),
    seed: number('seed'),
    grpc: values.grpc,
    folder: values.folder,
    withCoverage: !values['no-coverage'],
  }
}
