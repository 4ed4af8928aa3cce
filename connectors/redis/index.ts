import { Codec } from '../../src/buffer/codec.ts'
import { sharedHealth } from '../../src/buffer/shared-health.ts'
import type { Connector } from '../../src/component.ts'
import { type ComponentContext, defineConnector } from '../../src/define.ts'
import { rateLimited } from '../../src/telemetry/logger.ts'
import type { ComponentMetrics } from '../../src/telemetry/metrics.ts'
import { administer } from './admin/administer.ts'
import { RedisConfig } from './config.ts'
import { Connection } from './connection/connection.ts'
import { confirmationOf } from './connection/durability.ts'
import { DurableWriters } from './connection/writers.ts'
import { Monitor } from './server/monitor.ts'
import { Consumer } from './stream/consumer.ts'
import { Naming } from './stream/naming.ts'
import { Producer } from './stream/producer.ts'
import { Streams } from './stream/streams.ts'

const LOG_INTERVAL = 10_000

/**
 * A buffer in Redis that gateways and drains share. What it has acknowledged it hands out until it is acknowledged
 * in turn, by whichever drain lives, and as seldom as possible twice; ids make a second time harmless. What Redis
 * itself may lose in a crash or a failover, `durability` decides.
 */
export const redis = defineConnector({
  type: 'redis',
  summary: 'Buffers batches durably in Redis, between gateways and drains in any number.',
  config: RedisConfig,
  example: { url: 'redis://127.0.0.1:6379' },

  overflow: (config) => config.overflow,
  administer,

  create(config, given): Connector {
    const { groups } = given
    const { own, trouble } = sharedHealth(given.health)
    const context = { ...given, health: own }
    const codec = new Codec(config, { log: given.log, metrics: given.metrics, trouble })
    const connection = new Connection(config, `sluice:${config.list ?? config.stream}`)
    const naming = new Naming(config, groups)
    // Apart, so that large pushes do not hold up heartbeats and acknowledgements.
    const producing = connection.at('push', naming.identity)
    const consuming = connection.at('take', naming.identity)
    const takingFrom = (key: string) => connection.reach('take', key)
    const durable = new DurableWriters((key) => connection.at('push', key), confirmationOf(config))
    const log = rateLimited(context.log, LOG_INTERVAL)
    // Who cannot confirm a push takes none, however well it looks otherwise.
    const health: ComponentContext['health'] = (state, detail) => {
      if (durable.trouble === undefined || state === 'failed') {
        context.health(state, detail)
        return
      }
      context.health('failed', durable.trouble)
      log.warn('durable', {}, durable.trouble)
    }
    const streams = new Streams({ client: consuming, clientOf: takingFrom, naming, config, context })
    const { registry } = streams
    const monitor = new Monitor({ client: consuming, streams, config, context: { ...context, health } })
    showDurability(context.metrics, config.durability, () => durable.trouble === undefined)
    const producer = new Producer({
      client: producing,
      durable,
      naming,
      registry,
      config,
      codec,
      admission: monitor,
      metrics: context.metrics,
    })
    const consumers = new Set<Consumer>()

    const close = (): void => {
      monitor.stop()
      durable.stop()
      codec.stop()
      connection.close()
    }

    return {
      async start() {
        codec.start()
        monitor.start()
        try {
          await connection.connect()
          await monitor.look()
          if (monitor.misfit !== undefined) throw new Error(monitor.misfit)
          await durable.start(naming.identity)
        } catch (error) {
          close()
          throw error
        }
      },

      async stop(deadline) {
        await Promise.all([
          producer.stop(deadline),
          ...[...consumers].map((consumer) => consumer.stop(deadline)),
        ])
        close()
      },

      push: (batch, signal) => producer.push(batch, signal),
      bury: (letters) => producer.bury(letters),
      identity: () => monitor.known,

      leases(group, signal) {
        const consumer = new Consumer({
          clientOf: takingFrom,
          naming,
          registry,
          group,
          several: naming.template.fixed === undefined,
          config,
          codec,
          context,
          log,
          identity: () => monitor.identity(),
        })
        consumers.add(consumer)
        return consumer.leases(signal)
      },
    }
  },
})

function showDurability(metrics: ComponentMetrics, mode: string, kept: () => boolean): void {
  metrics
    .gauge(
      'sluice_redis_durability',
      '1 for the durability that pushes are acknowledged with.',
      { mode },
      undefined,
      'max',
    )
    .set(1)
  metrics.gauge(
    'sluice_redis_durable',
    '0 while pushes are refused because that durability cannot be had.',
    {},
    () => Number(kept()),
    'min',
  )
}
