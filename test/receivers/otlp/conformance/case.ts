import type { Push } from '../../../../src/component.ts'
import type { RequestInit } from '../../../oracle/oracle.ts'
import type { Harness, Protocols } from '../harness.ts'
import type { Section } from './sections.ts'

/** How a request is sent: transport and encoding. gRPC by each implementation; that without a name is the default. */
export type Way = 'gRPC' | 'http2' | 'grpc-js' | 'HTTP protobuf' | 'HTTP JSON'

export const ALL: readonly Way[] = ['gRPC', 'http2', 'grpc-js', 'HTTP protobuf', 'HTTP JSON']
/** zstd, which grpc-js does not know. */
export const WITH_ZSTD: readonly Way[] = ALL.filter((way) => way !== 'grpc-js')
export const BY_HTTP: readonly Way[] = ['HTTP protobuf', 'HTTP JSON']
export const IN_PROTOBUF: readonly Way[] = ['gRPC', 'http2', 'grpc-js', 'HTTP protobuf']
export const BY_GRPC: readonly Way[] = ['gRPC', 'http2', 'grpc-js']
/** What grpc-js answers by itself, in another way. */
export const BY_OUR_GRPC: readonly Way[] = ['gRPC', 'http2']
export const IN_JSON: readonly Way[] = ['HTTP JSON']

export function isGrpc(way: Way): boolean {
  return BY_GRPC.includes(way)
}

export type Compression = 'gzip' | 'deflate' | 'zstd'

/** What a client sends. What is left out is as a usual client has it. */
export interface Sent {
  /** Written by the way's encoding. One small record where neither this nor `body` is given. */
  readonly request?: RequestInit
  /** Sent as it is; over gRPC as one message. */
  readonly body?: string | Uint8Array
  readonly compression?: Compression
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly path?: string
  /** The bytes after the headers of a gRPC call, in place of one message. */
  readonly frames?: Uint8Array
}

/** A failure as it is told: what is left out is not looked at. */
export interface Told {
  /** google.rpc.Code: of the call, and in every Status. */
  readonly code: number
  /** Status over HTTP. */
  readonly http?: number
  /** Status that a gRPC call has for those who do not speak gRPC; mostly 200. */
  readonly httpOfGrpc?: number
  readonly message?: string | RegExp
  /** Milliseconds in RetryInfo; without it there is no RetryInfo, and no Retry-After. */
  readonly retryMs?: number
  /** Seconds, over HTTP. */
  readonly retryAfter?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Whether a BadRequest says what is wrong with the request. */
  readonly badRequest?: boolean
}

interface Named {
  /** What is so, as a sentence without its subject, which is the receiver or what it is sent. */
  readonly name: string
  readonly section: Section
  readonly over: readonly Way[]
  readonly settings?: Partial<Record<keyof Protocols, object>>
  /** Settings of the receiver besides its protocols. */
  readonly receiver?: object
}

/** One request, its answer, and what was pushed. */
export interface Exchange extends Named {
  readonly push?: Push
  readonly send?: Sent
  readonly answer:
    | { readonly ok: true; readonly headers?: Told['headers'] }
    | PartialSuccess
    | { readonly failure: Told }
  /** Requests that were pushed, read by the oracle: those that were sent where it is left out, none after a failure. */
  readonly pushed?: readonly RequestInit[]
}

interface PartialSuccess {
  readonly rejected: number
  readonly message: string
}

/** Something that is not one request and its answer. */
export interface Scene extends Named {
  readonly check: (harness: Harness, way: Way) => Promise<void>
}

export type Case = Exchange | Scene

/** Cases under one heading. */
export interface Group {
  readonly title: string
  readonly cases: readonly Case[]
}
