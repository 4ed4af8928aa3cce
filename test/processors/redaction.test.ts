import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redaction } from '../../processors/redaction/index.ts'
import { isResidentId, passesLuhn } from '../../processors/redaction/numbers.ts'
import { never, testContext } from '../support/component.ts'
import { attributes, batchOf, documentsOf, text } from '../support/otlp.ts'

async function redact(body: string, config: object = {}): Promise<unknown> {
  const batch = batchOf([{ body: text(body) }])
  await redaction.create(redaction.config.parse(config), testContext()).process(batch, never)
  return documentsOf(batch)[0].body?.text ?? ''
}

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'

describe('redaction of a text', () => {
  it.each([
    ['mail jane.doe+x@mail.example.co.uk now', 'mail [EMAIL] now'],
    ['<a@b.cn>,<c@d.org>', '<[EMAIL]>,<[EMAIL]>'],
    ['a@b.com.', '[EMAIL].'],
    ['card 4111 1111 1111 1111 ok', 'card ************1111 ok'],
    ['card 4111-1111-1111-1111', 'card ************1111'],
    ['amex 3782 822463 10005', 'amex ***********0005'],
    ['pan=5555555555554444;', 'pan=************4444;'],
    ['user_4111111111111111', 'user_************1111'],
    ['call 13812345678', 'call [CN_MOBILE]'],
    ['call +86 138 1234 5678', 'call +86 [CN_MOBILE]'],
    ['call +8613812345678', 'call +[CN_MOBILE]'],
    ['id 11010519491231002X', 'id [CN_ID]'],
    ['id 440524188001010014.', 'id [CN_ID].'],
    ['Authorization: Bearer abcDEF123456==', 'Authorization: Bearer [TOKEN]'],
    ['authorization: bearer abcdefgh', 'authorization: bearer [TOKEN]'],
    [`token ${JWT}, next`, 'token [JWT], next'],
    [`Bearer ${JWT}`, 'Bearer [TOKEN]'],
    ['联系 li@例.example.cn 或 13912345678。', '联系 li@例.example.cn 或 [CN_MOBILE]。'],
    ['é13812345678é', 'é[CN_MOBILE]é'],
  ])('turns %j into %j', async (before, after) => {
    expect(await redact(before)).toBe(after)
  })

  it.each([
    'no at sign, no digits',
    'user@localhost',
    '@decorator and a@b',
    'card 4111 1111 1111 1112 fails its check digit',
    'order 12345678901 begins with no mobile prefix',
    'time 1700000000000 and 2026-11-21 10:00:00.123456',
    'ratio 0.4111111111111111',
    'hash a4111111111111111f',
    'id 110105194913310021 has no such date',
    'Bearer short',
    'eyJhbGciOiJIUzI1NiJ9 alone is no token',
  ])('leaves %j alone', async (unharmed) => {
    expect(await redact(unharmed)).toBe(unharmed)
  })

  it('takes matches out with the action "remove"', async () => {
    expect(await redact('a x@y.com b 4111111111111111 c', { action: 'remove' })).toBe('a  b  c')
  })

  it('applies an action of its own to one detector', async () => {
    const detectors = ['email', { name: 'credit_card', action: 'remove' }]
    expect(await redact('x@y.com 4111111111111111 13812345678', { detectors })).toBe('[EMAIL]  13812345678')
  })

  it.each([
    ['a long word before a sign', `${'a'.repeat(200_000)} x@y`],
    ['many signs', 'a@'.repeat(100_000)],
    ['many dots', `a@${'b.'.repeat(100_000)}`],
    ['many token starts', 'eyJ'.repeat(100_000)],
    ['many digits', '1'.repeat(300_000)],
    ['many groups', '4111 '.repeat(60_000)],
    ['many schemes', 'Bearer '.repeat(50_000)],
  ])('comes to an end on %s', async (_, hostile) => {
    // Anything quadratic would outlast the runner's time limit by minutes.
    expect(typeof (await redact(hostile))).toBe('string')
  })
})

describe('redaction of a request', () => {
  it('reaches bodies, attributes, keys, resource and scope at every depth', async () => {
    const secret = text('to x@y.com')
    const nested = {
      kvlistValue: { values: attributes({ deep: { arrayValue: { values: [secret, { intValue: '5' }] } } }) },
    }
    const batch = batchOf(
      [
        {
          body: nested,
          severityText: 'x@y.com',
          attributes: attributes({ plain: secret, nested, 'key of x@y.com': text('v') }),
        },
      ],
      { attributes: attributes({ owner: secret, nested }) },
      { name: 'x@y.com', attributes: attributes({ owner: secret }) },
    )
    const context = testContext()

    await redaction.create(redaction.config.parse({}), context).process(batch, never)

    expect(JSON.stringify(documentsOf(batch))).not.toContain('x@y.com')
    expect(documentsOf(batch)[0].attributes).toEqual({
      plain: 'to [EMAIL]',
      nested: { deep: ['to [EMAIL]', 5] },
      'key of [EMAIL]': 'v',
    })
    expect(await context.value('sluice_redactions_total', { detector: 'email' })).toBe(9)
  })

  it('finds numbers that were sent as integers', async () => {
    const batch = batchOf([
      {
        attributes: attributes({ phone: { intValue: '13812345678' }, pan: { intValue: '4111111111111111' } }),
      },
      { attributes: attributes({ at: { intValue: '1700000000000' } }) },
    ])

    await redaction.create(redaction.config.parse({}), testContext()).process(batch, never)

    expect(documentsOf(batch).map((document) => document.attributes)).toEqual([
      { phone: '[CN_MOBILE]', pan: '************1111' },
      { at: 1700000000000 },
    ])
  })

  it('leaves a request without anything to hide byte for byte as it came', async () => {
    const batch = batchOf([{ body: text('nothing here') }, { body: text('nor here') }])

    await redaction.create(redaction.config.parse({}), testContext()).process(batch, never)
    batch.identify(Buffer.alloc(32))

    expect(batch.encode(1e9)[0].bytes.includes(batch.data.bytes)).toBe(true)
  })

  it('redacts every text in a request just as it redacts that text alone', async () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }).map((list) => list.join(''))
    const piece = fc.oneof(
      digits,
      fc.constantFrom(
        ' ',
        '-',
        '@',
        '.',
        'X',
        'é',
        '中',
        '"',
        '\n',
        '+',
        'word ',
        'a.b@c.de',
        'Bearer ',
        'bearer ',
      ),
      fc.constantFrom(
        '4111111111111111',
        '4111 1111 1111 1111',
        '13812345678',
        '11010519491231002X',
        JWT,
        'abcDEF123==',
      ),
    )
    const pieces = fc.array(piece, { maxLength: 8 }).map((list) => list.join(''))
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { minLength: 1, maxLength: 12 }),
        fc.double(),
        async (texts, double) => {
          const records = texts.map((each, i) => ({
            body: i % 2 ? text(each) : { arrayValue: { values: [text(each)] } },
            attributes: attributes({ d: { doubleValue: double }, n: { intValue: '300' }, text: text(each) }),
          }))
          const batch = batchOf(records)
          await redaction.create(redaction.config.parse({}), testContext()).process(batch, never)
          const found = documentsOf(batch).map((document) => document.attributes.text)
          const alone = await Promise.all(texts.map((each) => redactAlone(each)))
          expect(found).toEqual(alone)
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** Redacts an attribute of a record that is certain to be looked at, whatever the scan finds. */
async function redactAlone(value: string): Promise<unknown> {
  const trigger = { trigger: text('13812345678') }
  const batch = batchOf([{ attributes: attributes({ text: text(value), ...trigger }) }])
  await redaction.create(redaction.config.parse({}), testContext()).process(batch, never)
  return documentsOf(batch)[0].attributes.text
}

describe('check digits', () => {
  it('knows valid and invalid card numbers', () => {
    expect(['4111111111111111', '378282246310005', '6200000000000005'].map(passesLuhn)).toEqual([
      true,
      true,
      true,
    ])
    expect(passesLuhn('4111111111111112')).toBe(false)
  })

  it('knows valid and invalid resident identity numbers', () => {
    expect(['11010519491231002X', '440524188001010014'].map(isResidentId)).toEqual([true, true])
    expect(isResidentId('110105194912310029')).toBe(false)
  })
})
