import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fill, numberIn } from './element.ts'
import type { Store, StoreKind } from './store.ts'

const CLIENTS = 16

/** What was found after the writer had been killed. */
export interface Aftermath {
  readonly acknowledged: number
  readonly lost: number
  /** Until the first element could be taken. */
  readonly openMs: number
}

/** Kills a process that fills a store, and looks for what it had acknowledged. */
export async function crash(
  kind: StoreKind,
  folder: string,
  args: readonly string[],
  afterMs: number,
): Promise<Aftermath> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), '--fill', kind.name, '--folder', folder, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await once(child.stdout, 'data')
  await sleep(afterMs)
  child.kill('SIGKILL')
  await once(child, 'close')
  const acknowledged = said.split('\n').slice(0, -1).map(Number)
  const started = performance.now()
  const store = await kind.open(folder)
  const found = new Set<number>()
  let openMs = 0
  for (;;) {
    const elements = await store.take(64)
    openMs ||= performance.now() - started
    if (elements.length === 0) break
    for (const element of elements) found.add(numberIn(element))
  }
  await store.close()
  const lost = acknowledged.filter((number) => !found.has(number)).length
  return { acknowledged: acknowledged.length, lost, openMs }
}

/** Appends until it is killed, and says the number of each element that is acknowledged. */
export async function fillUntilKilled(store: Store, elementBytes: number): Promise<never> {
  let next = 0
  const client = async (): Promise<never> => {
    const element = fill(elementBytes)
    for (;;) {
      const number = next++
      element.writeUInt32LE(number, 0)
      await store.append(Buffer.from(element))
      process.stdout.write(`${number}\n`)
    }
  }
  return Promise.race(Array.from({ length: CLIENTS }, client))
}
