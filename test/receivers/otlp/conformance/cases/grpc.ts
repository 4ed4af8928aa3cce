import { gzipSync } from 'node:zlib'
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { expect } from 'vitest'
import { encodeRequest } from '../../../../oracle/oracle.ts'
import { fieldsOf, frame, type Harness } from '../../harness.ts'
import { BY_GRPC, BY_OUR_GRPC, type Case, type Group, type Scene } from '../case.ts'
import { ONE_RECORD } from '../client.ts'
import { converse } from '../grpc-client.ts'

const plain = encodeRequest(ONE_RECORD)
const LOGS_SERVICE = 'opentelemetry.proto.collector.logs.v1.LogsService'
const CHECK = '/grpc.health.v1.Health/Check'
const WATCH = '/grpc.health.v1.Health/Watch'
const SERVING = 1
const NOT_SERVING = 2
const SERVICE_UNKNOWN = 3

const calls: readonly Case[] = [
  ...['/', '/opentelemetry.proto.collector.trace.v1.TraceService/Export', `/${LOGS_SERVICE}/Import`].map(
    (path): Case => ({
      name: `a call of ${path} is UNIMPLEMENTED, over HTTP 200`,
      section: 'grpc',
      over: BY_GRPC,
      send: { path },
      answer: { failure: { code: 12, message: /logs go to \/opentelemetry/ } },
    }),
  ),
  {
    name: 'another method than POST is HTTP 405',
    section: 'grpc',
    over: BY_OUR_GRPC,
    send: { method: 'PUT' },
    answer: { failure: { code: 12, httpOfGrpc: 405 } },
  },
  {
    name: 'a message in grpc-message is percent-encoded',
    section: 'grpc',
    over: BY_OUR_GRPC,
    send: { path: '/100%25' },
    answer: {
      failure: {
        code: 12,
        message: /^there is no \/100%25/,
        headers: { 'grpc-message': expect.stringContaining('/100%2525') as string },
      },
    },
  },
  ...(
    [
      ['no message', Buffer.alloc(0), 12],
      ['a piece of a prefix', Buffer.alloc(3), 12],
      ['a piece of a message', frame(plain).subarray(0, -1), 12],
      ['two messages', Buffer.concat([frame(plain), frame(plain)]), 12],
      ['a message that begins with 2', frame(plain, 2), 13, BY_OUR_GRPC],
      ['a message that is announced with 4 GiB', frame(Buffer.alloc(0), 0, 0xffffffff), 8],
    ] as const
  ).map(
    ([what, frames, code, over = BY_GRPC]): Case => ({
      name: `a call with ${what} fails with code ${code}`,
      section: 'grpc',
      over,
      send: { frames },
      answer: { failure: { code } },
    }),
  ),
  {
    name: 'metadata of any name is taken',
    section: 'grpc',
    over: BY_GRPC,
    send: { headers: { 'x-tenant': 'a', 'x-data-bin': 'AAEC', authorization: 'Bearer x' } },
    answer: { ok: true },
  },
  {
    name: 'a call with a deadline is answered before that',
    section: 'grpc',
    over: BY_GRPC,
    send: { headers: { 'grpc-timeout': '10S' } },
    answer: { ok: true },
  },
  {
    name: 'a call whose deadline passes is DEADLINE_EXCEEDED',
    section: 'grpc',
    over: BY_GRPC,
    push: () => new Promise((resolve) => setTimeout(resolve, 1000)),
    send: { headers: { 'grpc-timeout': '20m' } },
    answer: { failure: { code: 4 } },
  },
]

function checkIsServing(service: string): Scene {
  return {
    name: `Check of ${JSON.stringify(service)} is SERVING`,
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, CHECK)
      call.say(asking(service))
      call.end()
      expect(statusIn(await call.next())).toBe(SERVING)
      expect((await call.over)['grpc-status']).toBe('0')
      expect(await harness.context.value('otelcol_receiver_requests')).toBe(0)
    },
  }
}

const health: readonly Scene[] = [
  ...['', LOGS_SERVICE].map(checkIsServing),
  {
    name: 'Check of another service is NOT_FOUND',
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, CHECK)
      call.say(asking('other'))
      call.end()
      expect((await call.over)['grpc-status']).toBe('5')
    },
  },
  {
    name: 'Check may be compressed',
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, CHECK, { 'grpc-encoding': 'gzip' })
      call.say(gzipSync(asking(LOGS_SERVICE)), 1)
      call.end()
      expect(statusIn(await call.next())).toBe(SERVING)
    },
  },
  {
    name: 'Watch tells the state at once and NOT_SERVING when the receiver stops, and ends',
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, WATCH)
      call.say(asking(LOGS_SERVICE))
      call.end()
      expect(statusIn(await call.next())).toBe(SERVING)
      const stopped = harness.receiver.stop(new AbortController().signal)
      expect(statusIn(await call.next())).toBe(NOT_SERVING)
      expect((await call.over)['grpc-status']).toBe('14')
      await stopped
    },
  },
  {
    name: 'Watch of another service is SERVICE_UNKNOWN and goes on',
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, WATCH, { 'grpc-timeout': '300m' })
      call.say(asking('other'))
      call.end()
      expect(statusIn(await call.next())).toBe(SERVICE_UNKNOWN)
      expect((await call.over)['grpc-status']).toBe('4')
    },
  },
  {
    name: 'a question that is malformed is INVALID_ARGUMENT',
    section: 'grpcHealth',
    over: BY_GRPC,
    check: async (harness) => {
      const call = converse(harness, CHECK)
      call.say(Buffer.from([0x0a, 0x09]))
      call.end()
      expect((await call.over)['grpc-status']).toBe('3')
    },
  },
  {
    name: 'without health it is UNIMPLEMENTED',
    section: 'grpcHealth',
    over: BY_GRPC,
    settings: { grpc: { health: false } },
    check: async (harness) => {
      const call = converse(harness, CHECK)
      call.say(asking(''))
      call.end()
      expect((await call.over)['grpc-status']).toBe('12')
    },
  },
]

const reflecting = { grpc: { reflection: true } }

function listsServices(version: string): Scene {
  return {
    name: `${version} lists the services`,
    section: 'grpcReflection',
    over: BY_GRPC,
    settings: reflecting,
    check: async (harness) => {
      const call = reflect(harness, version)
      call.say(text(7, '*'))
      const list = fieldsOf(fieldsOf(await call.next()).get(6)?.[0] as Buffer)
      expect((list.get(1) ?? []).map((service) => String(fieldsOf(service as Buffer).get(1)?.[0]))).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        LOGS_SERVICE,
      ])
      call.end()
      expect((await call.over)['grpc-status']).toBe('0')
    },
  }
}

function comesWithImports([field, name]: readonly [field: number, name: string]): Scene {
  return {
    name: `${name} comes with all that it imports`,
    section: 'grpcReflection',
    over: BY_GRPC,
    settings: reflecting,
    check: async (harness) => {
      const call = reflect(harness, 'v1')
      call.say(text(field, name))
      const files = fieldsOf(fieldsOf(await call.next()).get(4)?.[0] as Buffer).get(1) as Buffer[]
      const descriptors = files.map((file) => fromBinary(FileDescriptorProtoSchema, file))
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: descriptors.reverse() }))
      expect(registry.getMessage('opentelemetry.proto.logs.v1.LogRecord')?.fields).toHaveLength(11)
    },
  }
}

const reflection: readonly Scene[] = [
  {
    name: 'it is off unless it is switched on',
    section: 'grpcReflection',
    over: BY_GRPC,
    check: async (harness) => {
      const call = reflect(harness, 'v1')
      call.say(text(7, ''))
      call.end()
      expect((await call.over)['grpc-status']).toBe('12')
    },
  },
  ...['v1', 'v1alpha'].map(listsServices),
  ...(
    [
      [4, LOGS_SERVICE],
      [4, `${LOGS_SERVICE}.Export`],
      [4, 'opentelemetry.proto.logs.v1.LogRecord'],
      [3, 'opentelemetry/proto/collector/logs/v1/logs_service.proto'],
    ] as const
  ).map(comesWithImports),
  {
    name: 'one call asks several questions, and is told of what there is not',
    section: 'grpcReflection',
    over: BY_GRPC,
    settings: reflecting,
    check: async (harness) => {
      const call = reflect(harness, 'v1')
      const questions = [text(3, 'no.proto'), text(4, 'no.Symbol'), text(6, 'no.Type'), Buffer.alloc(0)]
      for (const question of questions) call.say(question)
      const codes: unknown[] = []
      for (const question of questions) {
        const answer = fieldsOf(await call.next())
        expect(answer.get(2)?.[0]).toEqual(question)
        codes.push(fieldsOf(answer.get(7)?.[0] as Buffer).get(1)?.[0])
      }
      expect(codes).toEqual([5, 5, 5, 3])
    },
  },
]

function reflect(harness: Harness, version: string) {
  return converse(harness, `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`)
}

function asking(service: string): Buffer {
  return text(1, service)
}

/** A message of one text field, of less than 128 bytes. */
function text(field: number, value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes])
}

function statusIn(message: Buffer): unknown {
  return fieldsOf(message).get(1)?.[0]
}

export const grpc: readonly Group[] = [
  { title: 'gRPC calls', cases: calls },
  { title: 'gRPC health', cases: health },
  { title: 'gRPC reflection', cases: reflection },
]
