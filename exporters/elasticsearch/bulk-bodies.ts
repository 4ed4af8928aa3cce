import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { DiagnosticsChannel } from 'undici'
import { memory } from '../../src/memory.ts'

const CHANNEL = 'undici:client:sendHeaders'

/** Follows request bodies to the sockets they go out on, which undici tells in this way only. */
export class BulkBodies {
  readonly #sockets = new WeakMap<Buffer, Socket[]>()

  constructor() {
    subscribe(CHANNEL, this.#note)
  }

  /**
   * Gives a body back to `memory` once no socket reads it any more: a server may answer before it has read it, and a
   * request that was given up goes on until its socket is closed. One that never went out is left to the collector.
   */
  async release(body: Buffer): Promise<void> {
    const sockets = this.#sockets.get(body)
    if (sockets === undefined) return
    await Promise.all(sockets.map(untilRead))
    memory.give(body)
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

/** A socket that is destroyed reads nothing any more, from that moment on. */
async function untilRead(socket: Socket): Promise<void> {
  if (socket.writableLength === 0 || socket.destroyed) return
  await new Promise((resolve) => socket.once('close', resolve))
}
