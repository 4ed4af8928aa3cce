import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { blocks, DOCUMENT, filled, RESULTS } from '../../../bench/simulation/document.ts'
import { fingerprint, play, type Results } from '../../../bench/simulation/results.ts'

const text = readFileSync(DOCUMENT, 'utf8')
const results = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results

describe('docs/scale.md', () => {
  it('has the tables that `npm run simulate -- --plan --write` makes', () => {
    expect(filled(text, blocks())).toBe(text)
  })

  it('tells of runs with the parameters of now, or `npm run simulate -- --write` makes new ones', () => {
    expect(results.fingerprint).toBe(fingerprint())
  })

  it('tells what a simulation of now shows', { timeout: 60_000 }, () => {
    const { summary } = play('zone', 68_000)

    expect(summary).toEqual(results.scenarios.find(({ name, rate }) => name === 'zone' && rate === 68_000))
  })

  it('shows plots that are there', () => {
    const plots = [...text.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(([, path]) => path)

    expect(plots).toHaveLength(4)
    for (const path of plots)
      expect(existsSync(new URL(`../../../docs/${path}`, import.meta.url)), path).toBe(true)
  })

  it('says which marker is missing', () => {
    expect(() => filled('<!-- sizing -->\n', new Map([['sizing', 'x']]))).toThrow(
      'docs/scale.md has no <!-- sizing -->',
    )
  })
})
