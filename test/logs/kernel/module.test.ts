import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { compile, moduleText } from '../../../src/logs/kernel/assembly/compile.ts'

it('the kernel is the one that its sources compile to', { timeout: 60_000 }, async () => {
  const kept = await readFile(new URL('../../../src/logs/kernel/module.ts', import.meta.url), 'utf8')
  expect(moduleText(await compile()) === kept, 'out of date: npm run kernel').toBe(true)
})
