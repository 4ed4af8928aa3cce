import type { Server, Socket } from 'node:net'
import type { BoundCounter, ComponentMetrics } from '../../../src/telemetry/metrics.ts'

/** Why a connection is turned away or closed. */
export type RejectionReason = 'connections' | 'rapid_reset' | 'pings' | 'flood' | 'protocol'

/** The connections of one listener: how many there may be, and how many there are. */
export class Connections {
  readonly #max: number
  readonly #rejected: Readonly<Record<RejectionReason, BoundCounter>>
  #open = 0

  constructor(max: number, metrics: ComponentMetrics, transport: 'grpc' | 'http') {
    this.#max = max
    const rejected = (reason: RejectionReason): BoundCounter =>
      metrics.counter(
        'sluice_receiver_rejected_connections_total',
        'Connections turned away or closed, by reason.',
        { transport, reason },
      )
    this.#rejected = {
      connections: rejected('connections'),
      rapid_reset: rejected('rapid_reset'),
      pings: rejected('pings'),
      flood: rejected('flood'),
      protocol: rejected('protocol'),
    }
    metrics.gauge('sluice_receiver_connections', 'Open connections.', { transport }, () => this.#open)
  }

  /** Closes connections that are too many before a byte of them is read: clients try again, or go elsewhere. */
  guard(server: Server): void {
    server.maxConnections = this.#max
    server.on('drop', () => this.reject('connections'))
    server.on('connection', (socket: Socket) => {
      this.#open++
      socket.once('close', () => this.#open--)
    })
  }

  reject(reason: RejectionReason): void {
    this.#rejected[reason].inc()
  }
}
