import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bytes, duration, endpoint, secret } from '../../src/config/fields.ts'

function messageOf(schema: z.ZodType, value: unknown): string | undefined {
  return schema
    .safeParse(value)
    .error?.issues.map(({ message }) => message)
    .join('; ')
}

describe('duration', () => {
  it.each([
    ['100ms', 100],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1m30s', 90_000],
    ['1.5s', 1500],
    ['1h0m0.25s', 3_600_250],
    ['0s', 0],
  ])('reads %s as %d milliseconds', (text, milliseconds) => {
    expect(duration().parse(text)).toBe(milliseconds)
  })

  it.each([
    '',
    '5',
    's',
    '5 s',
    '-5s',
    '5S',
    '5s!',
    '1m 30s',
    '1e3s',
    '.5s',
    5,
    null,
    {},
    '9'.repeat(20) + 'd',
  ])('refuses %j with an example', (value) => {
    expect(messageOf(duration(), value)).toBe('expected a duration such as 500ms, 5s or 1m30s')
  })

  it('adds up whatever parts it is made of', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    const part = fc.tuple(fc.nat(999), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const expected = parts.reduce((sum, [amount, unit]) => sum + amount * units[unit], 0)

        expect(duration().parse(parts.map((pair) => pair.join('')).join(''))).toBe(expected)
      }),
    )
  })

  it('answers text of any length in linear time', () => {
    expect(messageOf(duration(), `${'1m'.repeat(200_000)}x`)).toBe(
      'expected a duration such as 500ms, 5s or 1m30s',
    )
  })
})

describe('bytes', () => {
  it.each([
    [1_048_576, 1_048_576],
    [0, 0],
    ['1048576', 1_048_576],
    ['512B', 512],
    ['64KiB', 65_536],
    ['64 KiB', 65_536],
    ['64kib', 65_536],
    ['5MB', 5_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5TiB', 1_649_267_441_664],
    ['2TB', 2e12],
  ])('reads %j as %d', (value, size) => {
    expect(bytes().parse(value)).toBe(size)
  })

  it.each(['', '-1', -1, 1.5, '5M', '5 pounds', 'MB', '1e6', null, [], `${'9'.repeat(20)}TiB`])(
    'refuses %j with an example',
    (value) => {
      expect(messageOf(bytes(), value)).toBe('expected a size such as 1048576, 64KiB or 5MB')
    },
  )

  it('reads a number and its text alike', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        expect(bytes().parse(String(size))).toBe(bytes().parse(size))
      }),
    )
  })
})

describe('endpoint', () => {
  it.each([
    ['0.0.0.0:4317', '0.0.0.0', 4317],
    ['localhost:0', 'localhost', 0],
    ['redis_1.internal:6379', 'redis_1.internal', 6379],
    [':4317', '0.0.0.0', 4317],
    ['[::]:4317', '::', 4317],
    ['[::ffff:10.0.0.1]:65535', '::ffff:10.0.0.1', 65_535],
  ])('reads %s', (text, host, port) => {
    expect(endpoint().parse(text)).toEqual({ host, port })
  })

  it.each(['', '4317', 'localhost', 'localhost:', '::1:4317', 'http://localhost:4317', 'a b:1', 4317, null])(
    'refuses %j with an example',
    (value) => {
      expect(messageOf(endpoint(), value)).toBe('expected host:port such as 0.0.0.0:4317')
    },
  )

  it('refuses a port that there cannot be', () => {
    expect(messageOf(endpoint(), 'localhost:65536')).toBe('expected a port up to 65535')
  })
})

describe('in a JSON Schema', () => {
  const settings = z.strictObject({
    timeout: duration().prefault('10s').describe('How long.'),
    limit: bytes().prefault('1MiB').describe('How much.'),
    address: endpoint().prefault(':80').describe('Where.'),
    token: secret().optional().describe('Which.'),
  })

  it('fields keep their descriptions, their defaults as text, and the mark of a secret', () => {
    const { properties } = z.toJSONSchema(settings, { io: 'input' })

    expect(properties).toMatchObject({
      timeout: { type: 'string', default: '10s', description: 'How long.' },
      limit: { anyOf: [{ type: 'integer' }, { type: 'string' }], default: '1MiB', description: 'How much.' },
      address: { type: 'string', default: ':80', description: 'Where.' },
      token: { type: 'string', secret: true, description: 'Which.' },
    })
  })

  it('defaults are read like what a user writes', () => {
    expect(settings.parse({})).toEqual({
      timeout: 10_000,
      limit: 1_048_576,
      address: { host: '0.0.0.0', port: 80 },
    })
  })
})
