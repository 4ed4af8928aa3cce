import { gzipSync, zstdCompressSync } from 'node:zlib'
import { encodeRequest } from '../../../../oracle/oracle.ts'
import { frame } from '../../harness.ts'
import {
  ALL,
  BY_GRPC,
  BY_HTTP,
  BY_OUR_GRPC,
  type Case,
  type Group,
  IN_PROTOBUF,
  type Told,
  WITH_ZSTD,
} from '../case.ts'
import { ONE_RECORD } from '../client.ts'

const plain = encodeRequest(ONE_RECORD)
const half = plain.length >> 1
const unsupported: Told = {
  code: 3,
  http: 415,
  headers: { 'accept-encoding': 'gzip, deflate, zstd, zlib, identity' },
}

const compression: readonly Case[] = [
  ...(['gzip', 'deflate', 'zstd'] as const).map(
    (name): Case => ({
      name: `a request may be compressed with ${name}`,
      section: name === 'gzip' ? 'httpRequest' : 'coding',
      over: name === 'zstd' ? WITH_ZSTD : ALL,
      send: { compression: name },
      answer: { ok: true },
    }),
  ),
  ...(
    [
      ['x-gzip', 'gzip'],
      ['zlib', 'deflate'],
      ['GZIP', 'gzip'],
      [' zstd ', 'zstd'],
    ] as const
  ).map(
    ([name, compression]): Case => ({
      name: `Content-Encoding ${JSON.stringify(name)} is ${compression}`,
      section: 'coding',
      over: BY_HTTP,
      send: { compression, headers: { 'content-encoding': name } },
      answer: { ok: true },
    }),
  ),
  {
    name: 'Content-Encoding "identity" is none',
    section: 'coding',
    over: BY_HTTP,
    send: { headers: { 'content-encoding': 'identity' } },
    answer: { ok: true },
  },
  {
    name: 'a zstd of several frames is all of them',
    section: 'coding',
    over: ['HTTP protobuf'],
    send: {
      body: Buffer.concat([
        zstdCompressSync(plain.subarray(0, half)),
        zstdCompressSync(plain.subarray(half)),
      ]),
      headers: { 'content-encoding': 'zstd' },
    },
    answer: { ok: true },
  },
  {
    name: 'a gzip of several members is all of them',
    section: 'coding',
    over: ['HTTP protobuf'],
    send: {
      body: Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))]),
      headers: { 'content-encoding': 'gzip' },
    },
    answer: { ok: true },
  },
  ...['br', 'snappy', 'lz4', 'gzip, gzip'].map(
    (name): Case => ({
      name: `Content-Encoding "${name}" is 415, and Accept-Encoding says what is not`,
      section: 'coding',
      over: BY_HTTP,
      send: { headers: { 'content-encoding': name } },
      answer: { failure: unsupported },
    }),
  ),
  {
    name: 'what compression_algorithms does not name is 415',
    section: 'collector',
    over: BY_HTTP,
    settings: { http: { compression_algorithms: ['', 'zstd'] } },
    send: { compression: 'gzip' },
    answer: {
      failure: {
        code: 3,
        http: 415,
        message: 'the Content-Encoding is none of zstd and identity',
        headers: { 'accept-encoding': 'zstd, identity' },
      },
    },
  },
  {
    name: 'what compression_algorithms names is taken',
    section: 'collector',
    over: BY_HTTP,
    settings: { http: { compression_algorithms: ['', 'zstd'] } },
    send: { compression: 'zstd' },
    answer: { ok: true },
  },
  ...['gzip', 'deflate', 'zstd'].map(
    (name): Case => ({
      name: `what is said to be ${name} and is not, is 400 with BadRequest`,
      section: 'badData',
      over: BY_HTTP,
      send: { headers: { 'content-encoding': name }, body: 'this is not' },
      answer: { failure: { code: 3, http: 400, message: new RegExp(`not valid ${name}`), badRequest: true } },
    }),
  ),
  {
    name: 'a gzip that is cut off is 400',
    section: 'badData',
    over: BY_HTTP,
    send: { headers: { 'content-encoding': 'gzip' }, body: gzipSync(plain).subarray(0, -9) },
    answer: { failure: { code: 3, http: 400, badRequest: true } },
  },
  {
    name: 'a message that is not compressed is taken with any grpc-encoding',
    section: 'grpcCompression',
    over: BY_GRPC,
    send: { headers: { 'grpc-encoding': 'snappy' } },
    answer: { ok: true },
  },
  ...['snappy', 'br', 'gzip,gzip'].map(
    (name): Case => ({
      name: `grpc-encoding ${name} is UNIMPLEMENTED, and grpc-accept-encoding says what is not`,
      section: 'grpcCompression',
      over: BY_OUR_GRPC,
      send: { headers: { 'grpc-encoding': name }, frames: frame(plain, 1) },
      answer: { failure: { code: 12, headers: { 'grpc-accept-encoding': 'identity,gzip,deflate,zstd' } } },
    }),
  ),
  {
    name: 'a compressed message without a grpc-encoding is INTERNAL',
    section: 'grpcCompression',
    over: BY_OUR_GRPC,
    send: { frames: frame(gzipSync(plain), 1) },
    answer: { failure: { code: 13, message: /grpc-encoding does not say how/ } },
  },
  {
    name: 'a compressed message with grpc-encoding identity is INTERNAL',
    section: 'grpcCompression',
    over: BY_OUR_GRPC,
    send: { headers: { 'grpc-encoding': 'identity' }, frames: frame(gzipSync(plain), 1) },
    answer: { failure: { code: 13 } },
  },
  {
    name: 'a message that cannot be decompressed is INTERNAL',
    section: 'grpcCompression',
    over: BY_GRPC,
    send: { headers: { 'grpc-encoding': 'gzip' }, frames: frame(Buffer.from('this is not'), 1) },
    answer: { failure: { code: 13, message: /not valid gzip/ } },
  },
]

const contentTypes: readonly Case[] = [
  ...[
    'application/x-protobuf',
    'application/x-protobuf; charset=utf-8',
    'Application/X-Protobuf',
    'application/x-protobuf ;a="b;c"',
  ].map(
    (type): Case => ({
      name: `Content-Type ${type} is protobuf`,
      section: 'httpRequest',
      over: ['HTTP protobuf'],
      send: { headers: { 'content-type': type } },
      answer: { ok: true },
    }),
  ),
  ...['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;'].map(
    (type): Case => ({
      name: `Content-Type ${type} is JSON`,
      section: 'httpRequest',
      over: ['HTTP JSON'],
      send: { headers: { 'content-type': type } },
      answer: { ok: true },
    }),
  ),
  ...['text/plain', 'application/protobuf-not', 'application/grpc', 'application/jsonp', ''].map(
    (type): Case => ({
      name: `Content-Type ${JSON.stringify(type)} is 415 with a Status in JSON, and Accept says what is not`,
      section: 'http',
      over: ['HTTP JSON'],
      send: { headers: { 'content-type': type } },
      answer: {
        failure: {
          code: 3,
          http: 415,
          message: 'the Content-Type is neither application/x-protobuf nor application/json',
          headers: { accept: 'application/x-protobuf, application/json' },
        },
      },
    }),
  ),
  ...['application/grpc', 'application/grpc+proto', 'application/grpc;x=y', 'Application/gRPC'].map(
    (type): Case => ({
      name: `content-type ${type} is gRPC`,
      section: 'grpc',
      over: type === 'Application/gRPC' ? BY_OUR_GRPC : BY_GRPC,
      send: { headers: { 'content-type': type } },
      answer: { ok: true },
    }),
  ),
  ...['application/grpc+json', 'application/grpc-web', 'application/json', 'text/plain', ''].map(
    (type): Case => ({
      name: `content-type ${JSON.stringify(type)} is HTTP 415 at the port of gRPC`,
      section: 'grpc',
      over: BY_OUR_GRPC,
      send: { headers: { 'content-type': type } },
      answer: { failure: { code: 3, httpOfGrpc: 415 } },
    }),
  ),
  {
    name: 'a protobuf that is said to be JSON is 400, in JSON',
    section: 'badData',
    over: ['HTTP JSON'],
    send: { body: plain },
    answer: { failure: { code: 3, http: 400, badRequest: true } },
  },
  {
    name: 'JSON that is said to be protobuf is INVALID_ARGUMENT or 400, in protobuf',
    section: 'badData',
    over: IN_PROTOBUF,
    send: { body: '{"resourceLogs":[]}' },
    answer: { failure: { code: 3, http: 400, badRequest: true } },
  },
]

export const encodings: readonly Group[] = [
  { title: 'Compression', cases: compression },
  { title: 'Content types', cases: contentTypes },
]
