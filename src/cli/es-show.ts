import type { SetupPlan, SetupStep } from '../setup.ts'
import { oneLine } from './table.ts'

const SIGNS = { missing: '+', different: '~', same: ' ', obsolete: '-' } as const
const WIDTH = 160

/** What there is to do, field by field. */
export function showPlan(plan: SetupPlan): string {
  const { steps } = plan
  const count = (state: SetupStep['state']) => steps.filter((step) => step.state === state).length
  return [
    showNotes(plan),
    ...steps.filter(({ state }) => state !== 'same').map(showStep),
    `${count('missing')} to create, ${count('different')} to change, ${count('same')} as they should be\n`,
  ].join('')
}

/** The server, and what it makes do without. */
export function showNotes({ server, notes }: SetupPlan): string {
  return [server, ...notes.map((note) => `  ${note}`)].map((line) => `${line}\n`).join('')
}

/** Every request by its line, to be piped into other tools. */
export function showRequests({ steps }: SetupPlan): string {
  const requests = Object.fromEntries(
    steps
      .filter(({ state }) => state !== 'obsolete')
      .map(({ method, path, body }) => [`${method} ${decodeURIComponent(path.split('?')[0])}`, body]),
  )
  return `${JSON.stringify(requests, null, 2)}\n`
}

function showStep({ what, state, differences, foreign }: SetupStep): string {
  const fields = differences.map(
    ({ path, before, after }) => `    ${path}: ${showValue(before)} → ${showValue(after)}\n`,
  )
  return [
    `${SIGNS[state]} ${what}\n`,
    ...(state === 'obsolete' ? ['    no longer in the config, and still applies: --prune deletes it\n'] : []),
    ...(foreign === undefined ? [] : [`    ${foreign}: only --force overwrites it\n`]),
    ...(state === 'different' ? fields : []),
  ].join('')
}

function showValue(value: string | undefined): string {
  return value === undefined ? '(none)' : oneLine(value, WIDTH)
}
