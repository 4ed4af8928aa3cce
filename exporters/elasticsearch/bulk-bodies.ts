import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { DiagnosticsChannel } from 'undici'

const CHANNEL = 'undici:client:sendHeaders'

/** Follows request bodies to the sockets they go out on, which undici tells in this way only. */
export class BulkBodies {
  readonly #sockets = new WeakMap<Buffer, Socket[]>()

  constructor() {
    subscribe(CHANNEL, this.#note)
  }

  /** Whether every socket has written the whole of a body: a server may answer before it has read it. */
  isWritten(body: Buffer): boolean {
    return this.#sockets.get(body)?.every(({ writableLength }) => writableLength === 0) ?? false
  }

  close(): void {
    unsubscribe(CHANNEL, this.#note)
  }

  readonly #note = (message: unknown): void => {
    const { request, socket } = message as DiagnosticsChannel.ClientSendHeadersMessage
    if (!('body' in request && Buffer.isBuffer(request.body))) return
    const sockets = this.#sockets.get(request.body)
    if (sockets) sockets.push(socket)
    else this.#sockets.set(request.body, [socket])
  }
}
