import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Below the ports that systems hand out by themselves (from 32,768 on Linux, 49,152 elsewhere): there every outgoing
 * connection of another test may take a port between the moment it is found free and the moment a server binds it.
 */
const FIRST = 10_240
const LAST = 32_767

/** Each process of the tests begins elsewhere and goes on from there, so none is given the same port twice in a row. */
let next = FIRST + Math.floor(Math.random() * (LAST - FIRST))

/** A port of 127.0.0.1 on which nothing listens at this moment; whoever binds it first has it. */
export async function freePort(): Promise<number> {
  for (let tries = LAST - FIRST; tries > 0; tries--) {
    const port = next
    next = next === LAST ? FIRST : next + 1
    if (await isFree(port)) return port
  }
  throw new Error(`all ports from ${FIRST} to ${LAST} are taken`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
