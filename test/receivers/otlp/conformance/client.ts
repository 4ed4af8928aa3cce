import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer, text } from 'node:stream/consumers'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { create, toJson } from '@bufbuild/protobuf'
import { encodeRequest, type RequestInit, RequestSchema } from '../../../oracle/oracle.ts'
import { fieldsOf, frame, type Harness, PROTOBUF, rawCall, retryDelayOf, statusOf } from '../harness.ts'
import { type Compression, isGrpc, type Sent, type Way } from './case.ts'

export const JSON_TYPE = 'application/json'
/** The second is that of grpc-js. */
const GRPC_TYPES = ['application/grpc', 'application/grpc+proto']

/** What a client makes of an answer. */
export interface Answer {
  readonly http: number
  readonly headers: Readonly<Record<string, unknown>>
  /** Of `ExportLogsServiceResponse`. */
  readonly partial: { readonly rejected: number; readonly message: string } | undefined
  /** Undefined for success. */
  readonly failure: Failure | undefined
}

export interface Failure {
  readonly code: number
  readonly message: string
  /** Of RetryInfo. */
  readonly retryMs?: number | undefined
  readonly badRequest?: string | undefined
  /** grpc-js answered before anybody was asked: its own words, without details. */
  readonly theLibrarys?: true
}

export const ONE_RECORD: RequestInit = {
  resourceLogs: [
    {
      scopeLogs: [
        { logRecords: [{ body: { value: { case: 'stringValue', value: 'a' } }, severityNumber: 9 }] },
      ],
    },
  ],
}

const COMPRESS: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
}

/** Sends a request over its way and reads the answer, with the strictness of a client that trusts nobody. */
export async function send(harness: Harness, way: Way, sent: Sent = {}): Promise<Answer> {
  const plain = bodyOf(way, sent)
  const body = sent.compression ? COMPRESS[sent.compression](plain) : plain
  return isGrpc(way)
    ? await sendGrpc(harness.receiver.port('grpc') ?? 0, body, way, sent)
    : await sendHttp(harness.receiver.port('http') ?? 0, body, way, sent)
}

/** OTLP/JSON as the specification wants it: ids in hexadecimal, enums as numbers, 64-bit integers as strings. */
export function jsonOf(request: RequestInit): string {
  const json = toJson(RequestSchema, create(RequestSchema, request), { enumAsInteger: true })
  return JSON.stringify(json, (key, value: unknown) =>
    key === 'traceId' || key === 'spanId' ? Buffer.from(String(value), 'base64').toString('hex') : value,
  )
}

function bodyOf(way: Way, { body, request = ONE_RECORD }: Sent): Buffer {
  if (body !== undefined) return Buffer.from(body)
  return way === 'HTTP JSON' ? Buffer.from(jsonOf(request)) : encodeRequest(request)
}

async function sendGrpc(port: number, body: Buffer, way: Way, sent: Sent): Promise<Answer> {
  const { session, stream, answer } = rawCall(port, {
    ...(sent.method !== undefined && { ':method': sent.method }),
    ...(sent.path !== undefined && { ':path': sent.path }),
    ...(sent.compression && { 'grpc-encoding': sent.compression }),
    ...sent.headers,
  })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.end(sent.frames ?? frame(body, sent.compression ? 1 : 0))
  try {
    const headers = await answer
    return grpcAnswer(headers, Buffer.concat(chunks), way)
  } finally {
    session.destroy()
  }
}

function grpcAnswer(headers: IncomingHttpHeaders, data: Buffer, way: Way): Answer {
  const http = Number(headers[':status'])
  const code = Number(headers['grpc-status'])
  if (!GRPC_TYPES.includes(String(headers['content-type']))) throw new Error('the answer is not gRPC')
  if (code === 0) {
    const length = data.readUInt32BE(1)
    if (data[0] !== 0 || data.length !== 5 + length) throw new Error('the answer is not one plain message')
    return { http, headers, partial: partialOf(data.subarray(5)), failure: undefined }
  }
  const details = headers['grpc-status-details-bin']
  const message = decodeURIComponent(String(headers['grpc-message']))
  if (details === undefined && way === 'grpc-js') {
    return { http, headers, partial: undefined, failure: { code, message, theLibrarys: true } }
  }
  const failure = failureOf(Buffer.from(String(details), 'base64'))
  if (failure.code !== code || failure.message !== message || data.length > 0) {
    throw new Error('trailers and details of the failure differ')
  }
  return { http, headers, partial: undefined, failure }
}

async function sendHttp(port: number, body: Buffer, way: Way, sent: Sent): Promise<Answer> {
  const type = way === 'HTTP JSON' ? JSON_TYPE : PROTOBUF
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    agent: false,
    method: sent.method ?? 'POST',
    path: sent.path ?? '/v1/logs',
    headers: {
      'content-type': type,
      'content-length': body.length,
      ...(sent.compression && { 'content-encoding': sent.compression }),
      ...sent.headers,
    },
  })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
    request.end(body)
  })
  return await httpAnswer(response, type)
}

/** An answer over HTTP, which must be in the encoding of its request. */
export async function httpAnswer(response: IncomingMessage, type: string): Promise<Answer> {
  const { statusCode: http = 0, headers } = response
  const isJson = headers['content-type'] === JSON_TYPE
  if (headers['content-type'] !== type)
    throw new Error(`the answer is ${headers['content-type']}, not ${type}`)
  if (http === 200) {
    const partial = isJson ? jsonPartial(await text(response)) : partialOf(await buffer(response))
    return { http, headers, partial, failure: undefined }
  }
  const failure = isJson ? jsonFailure(await text(response)) : failureOf(await buffer(response))
  return { http, headers, partial: undefined, failure }
}

function partialOf(message: Buffer): Answer['partial'] {
  const [partial] = fieldsOf(message).get(1) ?? []
  if (partial === undefined) return undefined
  const fields = fieldsOf(partial as Buffer)
  return { rejected: Number(fields.get(1)?.[0]), message: String(fields.get(2)?.[0]) }
}

function jsonPartial(body: string): Answer['partial'] {
  interface Response {
    readonly partialSuccess?: { readonly rejectedLogRecords: string; readonly errorMessage: string }
  }
  const { partialSuccess } = JSON.parse(body) as Response
  return (
    partialSuccess && {
      rejected: Number(partialSuccess.rejectedLogRecords),
      message: partialSuccess.errorMessage,
    }
  )
}

function failureOf(status: Buffer): Failure {
  const { code, message, details } = statusOf(status)
  const retry = details.get('RetryInfo')
  const bad = details.get('BadRequest')
  const violation = bad && fieldsOf(fieldsOf(bad).get(1)?.[0] as Buffer).get(2)?.[0]
  return {
    code,
    message,
    retryMs: retry && retryDelayOf(retry),
    badRequest: violation === undefined ? undefined : String(violation),
  }
}

export function jsonFailure(body: string): Failure {
  interface Status {
    readonly code: number
    readonly message: string
    readonly details: readonly {
      readonly retryDelay?: string
      readonly fieldViolations?: readonly { readonly description: string }[]
    }[]
  }
  const { code, message, details } = JSON.parse(body) as Status
  const delay = details.find(({ retryDelay }) => retryDelay)?.retryDelay
  const violations = details.find(({ fieldViolations }) => fieldViolations)?.fieldViolations
  return {
    code,
    message,
    retryMs: delay === undefined ? undefined : Math.round(Number(delay.replace('s', '')) * 1000),
    badRequest: violations?.[0].description,
  }
}
