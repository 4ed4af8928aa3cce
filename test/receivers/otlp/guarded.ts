import { onTestFinished } from 'vitest'
import { bearerTokenAuth } from '../../../extensions/bearertokenauth/index.ts'
import { otlp } from '../../../receivers/otlp/index.ts'
import { OtlpReceiver } from '../../../receivers/otlp/receiver.ts'
import type { Authenticator, Push } from '../../../src/component.ts'
import type { LogBatch } from '../../../src/logs/batch.ts'
import { type TestContext, testContext } from '../../support/component.ts'
import type { Implementation } from './harness.ts'

export interface Guarded {
  readonly receiver: OtlpReceiver
  readonly context: TestContext
  readonly batches: LogBatch[]
  readonly port: (protocol: 'grpc' | 'http') => number
}

export interface GuardedOptions {
  readonly implementation?: Implementation
  /** Settings of both protocols. */
  readonly both?: object
  /** Settings of the receiver beside `protocols`. */
  readonly more?: object
  readonly authenticator?: Authenticator
  readonly push?: Push
}

/** An otlp receiver with something before its doors, which listens on free ports until the test ends. */
export async function serveGuarded({
  implementation = 'sluice',
  both = {},
  more = {},
  authenticator,
  push = async () => {},
}: GuardedOptions): Promise<Guarded> {
  const context = testContext()
  const batches: LogBatch[] = []
  const endpoint = '127.0.0.1:0'
  const auth = authenticator && { authenticator: 'test' }
  const http = { endpoint, auth, ...both }
  const protocols = { grpc: { implementation, ...http }, http }
  const receiver = otlp.create(otlp.config.parse({ protocols, ...more }), {
    ...context,
    authenticator: () => {
      if (authenticator === undefined) throw new Error('there is none')
      return authenticator
    },
    push: async (batch, signal) => {
      batches.push(batch)
      await push(batch, signal)
    },
  })
  if (!(receiver instanceof OtlpReceiver)) throw new Error('not an OtlpReceiver')
  onTestFinished(() => receiver.stop(AbortSignal.abort()))
  await receiver.start()
  return { receiver, context, batches, port: (protocol) => receiver.port(protocol) ?? 0 }
}

/** Knows `Bearer one` as tenant one, `Bearer two` as tenant two, and `Bearer none` without a tenant. */
export function tokens(): Authenticator {
  const settings = bearerTokenAuth.config.parse({
    tokens: [{ token: 'one', tenant: 'one' }, { token: 'two', tenant: 'two' }, 'none'],
  })
  const told = {
    status: () => ({ state: 'ok' as const, uptimeMs: 0, components: {} }),
    readings: async () => [],
  }
  return bearerTokenAuth.create(settings, { ...testContext(), ...told }) as Authenticator
}
