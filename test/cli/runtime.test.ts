import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseRuntime, RUNTIME } from '../servers/runtime.ts'

it('npm start runs with what the sluice command runs with', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: { start: string }
  }

  expect(parseRuntime(scripts.start)).toEqual(RUNTIME)
  expect(RUNTIME.flags).not.toHaveLength(0)
})
