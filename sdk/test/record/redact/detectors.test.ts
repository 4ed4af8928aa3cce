import { describe, expect, it } from 'vitest'
import type { DetectorName } from '../../../src/options/settings.ts'
import { DETECTORS } from '../../../src/record/redact/detectors.ts'
import { testLogger } from '../../support/test-sink.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'

function detecting(...detectors: DetectorName[]) {
  return testLogger({ redact: { detectors } })
}

function masked(text: string): unknown {
  const { log, sink } = detecting(...DETECTORS)
  log.info({ text }, text)
  expect(sink.last.attributes.text).toBe(sink.last.body)
  return sink.last.body
}

describe('a detector', () => {
  // The same as those of the gateway: test/processors/redaction.test.ts.
  it.each([
    ['mail jane.doe+x@mail.example.co.uk now', 'mail [EMAIL] now'],
    ['<a@b.cn>,<c@d.org>', '<[EMAIL]>,<[EMAIL]>'],
    ['a@b.com.', '[EMAIL].'],
    ['card 4111 1111 1111 1111 ok', 'card ************1111 ok'],
    ['amex 3782 822463 10005', 'amex ***********0005'],
    ['pan=5555555555554444;', 'pan=************4444;'],
    ['call +86 138 1234 5678', 'call +86 [CN_MOBILE]'],
    ['id 11010519491231002X', 'id [CN_ID]'],
    ['Authorization: Bearer abcDEF123456==', 'Authorization: Bearer [TOKEN]'],
    [`token ${JWT}, next`, 'token [JWT], next'],
    [`Bearer ${JWT}`, 'Bearer [TOKEN]'],
    ['联系 li@例.example.cn 或 13912345678。', '联系 li@例.example.cn 或 [CN_MOBILE]。'],
  ])('turns %j into %j', (before, after) => {
    expect(masked(before)).toBe(after)
  })

  it.each([
    'no at sign, no digits',
    'user@localhost',
    '@decorator and a@b',
    'card 4111 1111 1111 1112 fails its check digit',
    'time 1700000000000 and 2026-11-21 10:00:00.123456',
    'ratio 0.4111111111111111',
    'Bearer short',
    'eyJhbGciOiJIUzI1NiJ9 alone is no token',
  ])('leaves %j alone', (unharmed) => {
    expect(masked(unharmed)).toBe(unharmed)
  })

  it('works in keys, numbers, nested values, messages made from placeholders, and errors', () => {
    const { log, sink } = detecting('email', 'credit_card')

    log.error(
      {
        'a@b.com': 1,
        pan: 4111111111111111,
        big: 4111111111111111n,
        list: [{ mail: 'x@y.org' }],
        plain: 12345678901,
        err: new Error('for c@d.org'),
      },
      'to %s',
      'e@f.org',
    )

    expect(sink.last.body).toBe('to [EMAIL]')
    expect(sink.last.attributes).toMatchObject({
      '[EMAIL]': 1n,
      pan: '************1111',
      big: '************1111',
      list: [{ mail: '[EMAIL]' }],
      plain: 12345678901n,
      'exception.message': 'for [EMAIL]',
    })
    expect(sink.last.attributes['exception.stacktrace']).not.toContain('c@d.org')
  })

  it('that was not chosen does nothing', () => {
    const { log, sink } = detecting('jwt')

    log.info(`a@b.com 4111111111111111 ${JWT}`)

    expect(sink.last.body).toBe('a@b.com 4111111111111111 [JWT]')
  })

  it('finds what the limit of a text would cut in two', () => {
    const { log, sink } = testLogger({
      redact: { detectors: ['jwt', 'email'] },
      limits: { valueLength: 100 },
    })

    for (let before = 0; before < 700; before++)
      log.info({ text: `${'x '.repeat(before / 2)}${JWT} ${'y'.repeat(900)}` })

    for (const { attributes } of sink.arrived) expect(attributes.text).not.toMatch(/eyJ/)
  })

  it('takes no longer than a text is long', () => {
    const { log } = testLogger({
      redact: { detectors: DETECTORS },
      limits: { bodyLength: 1_000_000, recordBytes: 4_000_000 },
    })
    const started = performance.now()

    for (const part of ['eyJ', 'a@', '@', '1111-', 'Bearer ', '4111 1111 ', 'a.b-', 'x@y.'])
      log.info(part.repeat(100_000))

    expect(performance.now() - started).toBeLessThan(5000)
  })
})
