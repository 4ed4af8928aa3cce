import type { Connector } from '../../src/component.ts'
import { defineConnector } from '../../src/define.ts'
import { rateLimited } from '../../src/telemetry/logger.ts'
import { RedisConfig } from './config.ts'
import { RedisClient } from './connection/client.ts'
import { Monitor } from './server/monitor.ts'
import { Consumer } from './stream/consumer.ts'
import { Naming } from './stream/naming.ts'
import { Producer } from './stream/producer.ts'
import { Streams } from './stream/streams.ts'

const LOG_INTERVAL = 10_000

/**
 * A buffer in Redis that gateways and drains share. What it has acknowledged it hands out until it is acknowledged
 * in turn, by whichever drain lives, and as seldom as possible twice; ids make a second time harmless. What Redis
 * itself loses in a crash (two seconds with `appendfsync everysec`, nothing with `always`) is lost.
 */
export const redis = defineConnector({
  type: 'redis',
  summary: 'Buffers batches durably in Redis, between gateways and drains in any number.',
  config: RedisConfig,
  example: { url: 'redis://127.0.0.1:6379' },

  overflow: (config) => config.overflow,

  create(config, context): Connector {
    const { groups } = context
    const options = (role: string) => ({
      url: config.url,
      timeout: config.command_timeout,
      name: `sluice:${config.list ?? config.stream}:${role}`,
    })
    // Apart, so that large pushes do not hold up heartbeats and acknowledgements.
    const producing = new RedisClient(options('push'))
    const consuming = new RedisClient(options('take'))
    const naming = new Naming(config, groups)
    const streams = new Streams({ client: consuming, naming, config, context })
    const { registry } = streams
    const log = rateLimited(context.log, LOG_INTERVAL)
    const monitor = new Monitor({ client: consuming, streams, config, context })
    const producer = new Producer({
      client: producing,
      naming,
      registry,
      config,
      admission: monitor,
      metrics: context.metrics,
    })
    const consumers = new Set<Consumer>()

    const close = (): void => {
      monitor.stop()
      producing.close()
      consuming.close()
    }

    return {
      async start() {
        monitor.start()
        await Promise.all([producing.connect(), consuming.connect()])
        await monitor.look()
        if (monitor.misfit === undefined) return
        close()
        throw new Error(monitor.misfit)
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
          client: consuming,
          naming,
          registry,
          group,
          several: naming.template.fixed === undefined,
          config,
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
