import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'

/** The path of a socket is in use; the message says by what. */
export class SocketTaken extends Error {
  override readonly name = 'SocketTaken'
}

/**
 * Listens on a Unix socket, which is removed when the server closes. One that a dead process left behind is replaced.
 * @throws SocketTaken when another process listens there, or there is something else at the path
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  try {
    await bind(server, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    await removeStale(path)
    await bind(server, path)
  }
}

async function bind(server: Server, path: string): Promise<void> {
  server.listen({ path })
  await once(server, 'listening')
}

async function removeStale(path: string): Promise<void> {
  const before = await found(path)
  if (before === undefined) return
  if (!before.isSocket()) throw new SocketTaken('what is there is no socket; choose another path')
  if (await isLiving(path)) throw new SocketTaken('another process listens there')
  // Another process may have done the same in the meantime.
  const now = await found(path)
  if (now?.ino === before.ino && now.ctimeMs === before.ctimeMs) await unlink(path)
}

async function found(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isLiving(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
