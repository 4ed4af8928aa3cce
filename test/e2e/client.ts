import { encodeJsonRequest } from '../../src/logs/json/encode.ts'

export interface NumberedRequest {
  readonly bytes: Buffer
  readonly sequence: readonly number[]
}

/** Requests of records that carry a running number, always the same bytes for the same arguments. */
export function numberedRequests(count: number, records: number, dataset: string): NumberedRequest[] {
  return Array.from({ length: count }, (_, index) => numberedRequest(index, records, dataset))
}

/** The request at `index` of any number of them. */
export function numberedRequest(index: number, records: number, dataset: string): NumberedRequest {
  const sequence = Array.from({ length: records }, (_, i) => index * records + i)
  const json = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'data_stream.dataset', value: { stringValue: dataset } }] },
        scopeLogs: [
          {
            logRecords: sequence.map((seq) => ({
              timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(seq)),
              severityNumber: 9,
              body: { stringValue: `record ${seq} for user${seq}@example.com` },
              attributes: [{ key: 'seq', value: { intValue: String(seq) } }],
            })),
          },
        ],
      },
    ],
  }
  return { bytes: encodeJsonRequest(JSON.stringify(json)), sequence }
}

/** Posts until the answer is 200, as an SDK with endless patience would. */
export async function postUntilAccepted(port: number, bytes: Buffer): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(bytes),
        signal: AbortSignal.timeout(10_000),
      })
      await response.arrayBuffer()
      if (response.status === 200) return
      if (response.status !== 503 && response.status !== 429)
        throw new TypeError(`answered ${response.status}`)
    } catch (error) {
      if (error instanceof TypeError && error.message.startsWith('answered')) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Runs `task` for every item, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items]
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item)
    }),
  )
}
