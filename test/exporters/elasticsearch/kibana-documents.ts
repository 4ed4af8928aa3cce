import { encodeJsonRequest } from '../../../src/logs/json/encode.ts'

const TIME_MS = 1_790_000_010_000
const TRACE_ID = 'a1b2c3d4e5f60718293a4b5c6d7e8f90'
const SPAN_ID = '0102030405060708'

/**
 * What a web server logs: ten requests of one trace, that took 200 to 2000 ms and were observed 10 to 100 ms later. The
 * last two failed.
 */
export function accessLog(dataset: string): Buffer {
  const attribute = (key: string, value: object) => ({ key, value })
  const logRecords = Array.from({ length: 10 }, (_, at) => {
    const nth = at + 1
    const isFailed = nth > 8
    const text = isFailed ? 'request failed' : 'request served'
    return {
      timeUnixNano: `${TIME_MS + nth}000000`,
      observedTimeUnixNano: `${TIME_MS + nth + nth * 10}000000`,
      severityNumber: isFailed ? 17 : 9,
      severityText: isFailed ? 'ERROR' : 'INFO',
      body: { stringValue: text },
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      attributes: [
        attribute('event.duration', { intValue: String(nth * 200_000_000) }),
        attribute('http.response.status_code', { intValue: isFailed ? '504' : '200' }),
        attribute('url.path', { stringValue: nth % 2 === 0 ? '/pay' : '/cart' }),
        ...(isFailed ? [attribute('exception.type', { stringValue: 'TimeoutError' })] : []),
      ],
    }
  })
  const resource = {
    attributes: [
      attribute('data_stream.dataset', { stringValue: dataset }),
      attribute('service.name', { stringValue: 'web' }),
    ],
  }
  const scopeLogs = [{ scope: { name: 'web.access' }, logRecords }]
  return encodeJsonRequest(JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] }))
}
