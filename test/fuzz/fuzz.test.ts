import { describe, expect, it } from 'vitest'
import { readCorpus } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './fuzzer.ts'
import { minimized } from './minimize.ts'
import { parseOptions } from './options.ts'
import { Random } from './random.ts'
import { Defect, type FuzzTarget } from './target.ts'
import { TARGETS, type TargetName } from './targets.ts'

const ROUNDS = 4
const NAMES = Object.keys(TARGETS) as TargetName[]

describe.each(NAMES)('the reader of %s', (name) => {
  const target = TARGETS[name]

  it('reads or refuses all that once was worth keeping', () => {
    const inputs = readCorpus(name)
    const accepted = inputs.filter((input) => target.run(input))
    expect(accepted.length).toBeGreaterThan(5)
    expect(accepted.length).toBeLessThan(inputs.length)
  })

  it('reads or refuses new inputs', () => {
    const found: Error[] = []
    const fuzzer = new Fuzzer(target, {
      seed: 1,
      known: readCorpus(name),
      found: ({ error }) => found.push(error),
    })
    for (let left = ROUNDS; left > 0; left--) fuzzer.round()
    expect(found).toEqual([])
    expect(fuzzer.progress.accepted).toBeGreaterThan(ROUNDS * 50)
  })
})

describe('the fuzzer', () => {
  /** Wrong about inputs that begin with "bug". */
  const wrong: FuzzTarget = {
    seeds: () => [Buffer.from('seed')],
    mutate: (_, __, random) => Buffer.from(random.pick(['seed', 'bu', 'bug', 'a bug'])),
    door: () => {},
    run(input) {
      if (input.toString().startsWith('bug')) throw new Defect('wrong')
      return true
    },
  }

  it('tells of what it finds', () => {
    const found: string[] = []
    new Fuzzer(wrong, { seed: 1, found: ({ input }) => found.push(input.toString()) }).round(50)
    expect(new Set(found)).toEqual(new Set(['bug']))
  })

  it('makes the same inputs of the same seed, and others of another', () => {
    const inputsOf = (seed: number): string => {
      const random = new Random(seed)
      const seeds = TARGETS.json.seeds(random)
      return Array.from({ length: 20 }, () =>
        TARGETS.json.mutate(seeds[0], seeds[1], random).toString('hex'),
      ).join()
    }
    expect(inputsOf(3)).toBe(inputsOf(3))
    expect(inputsOf(3)).not.toBe(inputsOf(4))
  })

  // Before others run that code: what V8 compiled earlier is counted as a whole.
  it('counts code once, when it runs for the first time', () => {
    const coverage = new Coverage((url) => url.endsWith('/minimize.ts'))
    const run = (): number => {
      minimized(Buffer.from('ab'), () => false)
      return coverage.take()
    }
    coverage.take()
    expect(run()).toBeGreaterThan(0)
    expect(run()).toBe(0)
    minimized(Buffer.from('ab'), () => true)
    expect(coverage.take()).toBeGreaterThan(0)
    coverage.forget()
    minimized(Buffer.from('ab'), () => true)
    expect(coverage.take()).toBeGreaterThan(0)
    coverage.stop()
  })

  it('shortens what it keeps', () => {
    const isSame = (input: Buffer): boolean => input.includes('bug')
    expect(minimized(Buffer.from('a long way to the bug, and on'), isSame).toString()).toBe('bug')
  })

  it('says what it does not understand', () => {
    expect(() => parseOptions(['--target', 'wine'])).toThrow(
      '--target is "wine"; expected wire, json, live or all',
    )
    expect(() => parseOptions(['--minutes', 'some'])).toThrow('--minutes is "some"; expected more than 0')
  })
})
