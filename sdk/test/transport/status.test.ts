import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeStatus, encodeSuccess } from '../../../receivers/otlp/status.ts'
import { runs } from '../../../test/support/arbitraries.ts'
import { readExportResponse, readJsonResponse } from '../../src/transport/response.ts'
import { readJsonStatus, readStatus } from '../../src/transport/status.ts'

const NOTHING = { rejected: 0, message: '' }

describe('what a server answers', () => {
  it('is read as Sluice writes it', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 16 }),
        fc.string(),
        fc.option(fc.nat({ max: 2 ** 31 }), { nil: undefined }),
        (code, message, retryMs) => {
          const failure = { ok: false, code, http: 503, headers: {}, reason: '', message, retryMs } as const

          expect(readStatus(encodeStatus(failure))).toEqual({ message, retryMillis: retryMs })
        },
      ),
      runs(),
    )
  })

  it('tells how many records were rejected', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.string(), (rejected, message) => {
        expect(readExportResponse(encodeSuccess({ ok: true, rejected, message }))).toEqual({
          rejected,
          message,
        })
      }),
      runs(),
    )
    expect(readExportResponse(Buffer.alloc(0))).toEqual(NOTHING)
  })

  it('may be any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const buffer = Buffer.from(bytes)

        expect(readStatus(buffer)).toHaveProperty('message')
        expect(readExportResponse(buffer)).toHaveProperty('rejected')
        expect(readJsonStatus(buffer.toString())).toHaveProperty('message')
        expect(readJsonResponse(buffer.toString())).toHaveProperty('rejected')
      }),
      runs(400),
    )
  })

  it('may be any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(readJsonStatus(text)).toHaveProperty('message')
        expect(readJsonResponse(text)).toHaveProperty('rejected')
      }),
      runs(200),
    )
    expect(readJsonStatus('{"message":7,"details":{}}')).toEqual({ message: '', retryMillis: undefined })
    expect(readJsonResponse('{"partialSuccess":{"rejectedLogRecords":"many"}}')).toEqual(NOTHING)
  })
})
