import { WireWriter } from '../../../../src/logs/wire-writer.ts'
import { Code, refused } from '../../outcome.ts'
import type { Answering, Conversation, Method, Methods } from './method.ts'
import { parts } from './parts.ts'
import type { Serving } from './serving.ts'

/** `grpc.health.v1.Health`: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */

export const HEALTH = 'grpc.health.v1.Health'
const LOGS_SERVICE = 'opentelemetry.proto.collector.logs.v1.LogsService'
/** The number of its field. */
const HealthCheckRequest = { service: 1 } as const
const HealthCheckResponse = { status: 1 << 3 } as const
const Status = { serving: 1, notServing: 2, serviceUnknown: 3 } as const

const WITHOUT_MESSAGE = refused('malformed', 'the call ended without a message', Code.unimplemented)

/** Tells of the whole server, by an empty name, and of LogsService. */
export function healthMethods(serving: Serving): Methods {
  return new Map<string, Method>([
    [`/${HEALTH}/Check`, (answering) => new Check(answering, serving)],
    [`/${HEALTH}/Watch`, (answering) => new Watch(answering, serving)],
  ])
}

class Check implements Conversation {
  readonly #answering: Answering
  readonly #serving: Serving
  #service: string | undefined

  constructor(answering: Answering, serving: Serving) {
    this.#answering = answering
    this.#serving = serving
  }

  message(bytes: Buffer): void {
    this.#service = serviceIn(bytes)
  }

  end(): void {
    const service = this.#service
    if (service === undefined) this.#answering.end(WITHOUT_MESSAGE)
    else if (!isKnown(service)) {
      this.#answering.end(refused('not_found', `there is no service ${service}`, Code.notFound))
    } else {
      this.#answering.send(response(statusOf(this.#serving)))
      this.#answering.end()
    }
  }

  closed(): void {}
}

/** Sends the status at once and whenever it changes; a service that is unknown may be known to the next version. */
class Watch implements Conversation {
  readonly #answering: Answering
  readonly #serving: Serving
  #unwatch: (() => void) | undefined

  constructor(answering: Answering, serving: Serving) {
    this.#answering = answering
    this.#serving = serving
  }

  message(bytes: Buffer): void {
    if (this.#unwatch) {
      this.#answering.end(refused('malformed', 'a second message follows the first', Code.unimplemented))
      return
    }
    const known = isKnown(serviceIn(bytes))
    const tell = (): void =>
      this.#answering.send(response(known ? statusOf(this.#serving) : Status.serviceUnknown))
    this.#unwatch = known ? this.#serving.watch(tell) : () => {}
    tell()
  }

  /** The client has said what it wants to watch, and watches on. */
  end(): void {
    if (!this.#unwatch) this.#answering.end(WITHOUT_MESSAGE)
  }

  closed(): void {
    this.#unwatch?.()
  }
}

function isKnown(service: string): boolean {
  return service === '' || service === LOGS_SERVICE
}

function statusOf({ now }: Serving): number {
  return now ? Status.serving : Status.notServing
}

/** Of a field that is there twice the last counts. */
function serviceIn(request: Buffer): string {
  return String(parts(request, HealthCheckRequest.service).at(-1) ?? '')
}

function response(status: number): Buffer {
  const writer = new WireWriter(8)
  writer.varint(HealthCheckResponse.status)
  writer.varint(status)
  return writer.copyOut()
}
