import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FileConfig } from '../../exporters/file/config.ts'
import { Layout } from '../../exporters/file/layout.ts'
import { PathTemplate } from '../../exporters/file/path-template.ts'
import { LogBatch } from '../../src/logs/batch.ts'
import { encodeJsonRequest } from '../../src/logs/json/encode.ts'
import { runs } from '../support/arbitraries.ts'
import { attributes, text } from '../support/otlp.ts'

const layoutOf = (template: string): Layout => new Layout(new PathTemplate(template))
const CLOSED = Date.parse('2026-09-22T00:10:00.007Z')

describe('path templates', () => {
  const template = new PathTemplate('{service.name}/{YYYY}/{MM-DD}T{HH}.ndjson')
  const path = (service: string | undefined) => template.path(1790000000000, () => service)

  it('fill in the time in UTC and attributes of the resource', () => {
    expect(path('cart')).toBe('cart/2026/09-21T14.ndjson')
  })

  it.each([
    ['../../etc/passwd', '__.._etc_passwd'],
    ['..', '_'],
    ['.hidden', '_hidden'],
    ['a/b\\c\0d', 'a_b_c_d'],
    ['cart@20260921T000000.000Z', 'cart_20260921T000000.000Z'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('reduce %j to the harmless %s', (service, name) => {
    expect(path(service)).toBe(`${name}/2026/09-21T14.ndjson`)
  })

  it.each([
    ['{service.name}/{YYYYMMDD}', 'cart/20260921'],
    ['{resource:service.name}.log', 'cart.log'],
    ['{scope.name}/{scope:team}', 'db.pool/storage'],
    ['{record:tenant}/{HH}', 'acme/14'],
    ['{record:nothing}-{service.nothing}', 'unknown-unknown'],
  ])('read %s from the record, its scope and its resource', (pattern, expected) => {
    const record = { timeUnixNano: '1790000000000000000', attributes: attributes({ tenant: text('acme') }) }
    const { data } = LogBatch.decode(
      encodeJsonRequest(
        JSON.stringify({
          resourceLogs: [
            {
              resource: { attributes: attributes({ 'service.name': text('cart') }) },
              scopeLogs: [
                {
                  scope: { name: 'db.pool', attributes: attributes({ team: text('storage') }) },
                  logRecords: [record],
                },
              ],
            },
          ],
        }),
      ),
    )

    expect(new PathTemplate(pattern).of(data)(0, 0, 1790000000000)).toBe(expected)
  })
})

describe('names of files', () => {
  it.each([
    [
      '{service.name}/{YYYY-MM-DD}.ndjson',
      'cart/2026-09-21.ndjson',
      'cart/2026-09-21@20260922T001000.007Z.ndjson',
    ],
    ['{service.name}/{YYYYMMDD}', 'cart/20260921', 'cart/20260921@20260922T001000.007Z'],
    ['all.ndjson', 'all.ndjson', 'all@20260922T001000.007Z.ndjson'],
  ])('of %s: %s is closed as %s', (template, active, closed) => {
    const layout = layoutOf(template)

    expect(layout.closedPath(active, CLOSED)).toBe(closed)
    expect(layout.parse(active)).toEqual({
      active,
      closedMs: undefined,
      compression: undefined,
      unfinished: false,
    })
    const name = { active, closedMs: CLOSED, unfinished: false }
    expect(layout.parse(closed)).toEqual({ ...name, compression: undefined })
    expect(layout.parse(`${closed}.gz`)).toEqual({ ...name, compression: 'gzip' })
    expect(layout.parse(`${closed}.zst`)).toEqual({ ...name, compression: 'zstd' })
    expect(layout.parse(`${closed}.gz.tmp`)).toEqual({ ...name, compression: 'gzip', unfinished: true })
  })

  it.each([
    'notes.txt',
    'cart/notes.txt',
    'cart/2026-09-21.ndjson.bak',
    'cart/2026-09-21.ndjson.gz',
    'cart/2026-09-21@yesterday.ndjson',
    'cart/2026-09-21@20261399T990000.000Z.ndjson',
    'cart/2026-09-21@20260922T001000.007Z.txt',
    'cart/2026-09-21@20260922T001000.007Z.ndjson.bz2',
    'cart/more/2026-09-21.ndjson',
    '.lock',
  ])('of others are left alone: %s', (path) => {
    expect(layoutOf('{service.name}/{YYYY-MM-DD}.ndjson').parse(path)).toBeUndefined()
  })

  it('are never taken for those of closed files, whatever a client calls its service', () => {
    const template = new PathTemplate('{service.name}.ndjson')
    const layout = new Layout(template)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (service) => {
        const active = template.path(0, () => service)

        expect(layout.parse(active)?.closedMs).toBeUndefined()
        expect(layout.parse(layout.closedPath(active, CLOSED))).toMatchObject({ active, closedMs: CLOSED })
      }),
      runs(300),
    )
  })

  it.each([
    ['{YYYY}/{MM}/{DD}T{HH}', '2026/12/31T23', '2027-01-01T00:00:00.000Z'],
    ['{YYYYMMDD}', '20260228', '2026-03-01T00:00:00.000Z'],
    ['{YYYY-MM}/{service.name}', '2026-12/cart', '2027-01-01T00:00:00.000Z'],
    ['{YYYY}', '2026', '2027-01-01T00:00:00.000Z'],
    ['{MM-DD}', '09-21', undefined],
    ['{service.name}', 'cart', undefined],
  ])('of %s tell when %s is over', (template, active, end) => {
    const periodEnd = layoutOf(template).periodEnd(active)

    expect(periodEnd === undefined ? undefined : new Date(periodEnd).toISOString()).toBe(end)
  })
})

describe('the settings of a file exporter', () => {
  const problems = (settings: object): unknown[] =>
    FileConfig.safeParse({ directory: '/tmp/x', ...settings }).error?.issues.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    ) ?? []

  it.each([
    ['../out', 'path: must stay inside the directory'],
    ['/out', 'path: must stay inside the directory'],
    ['a//b', 'path: must name a file, and have no empty parts'],
    ['a/', 'path: must name a file, and have no empty parts'],
    ['a@b', 'path: must not hold @: that marks closed files'],
  ])('refuse the path %s', (path, problem) => {
    expect(problems({ path })).toContain(problem)
  })

  it('refuse permissions that are none', () => {
    expect(problems({ file_permissions: 'rw-r--r--' })).toEqual([
      'file_permissions: expected permissions in octal such as "0640"',
    ])
  })

  it('take `rotation:` alone for all its defaults', () => {
    expect(FileConfig.parse({ directory: '/tmp/x', rotation: null }).rotation).toMatchObject({
      max_megabytes: 100,
      compression: 'none',
      max_days: 0,
    })
    expect(FileConfig.parse({ directory: '/tmp/x' }).rotation).toBeUndefined()
  })
})
