import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generatedFiles } from '../../docs/generate.ts'

describe('generated files', () => {
  it.each([...generatedFiles()])('%s is what `npm run docs` makes', (path, content) => {
    expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(content)
  })
})
