import { describe, expect, it } from 'vitest'
import { openElement, packElement } from '../../src/buffer/element.ts'
import { type Element, GroupCommit } from '../../src/buffer/group-commit.ts'
import type { LogBatch } from '../../src/logs/batch.ts'
import { batchOf, documentsOf, text } from '../support/otlp.ts'

function batch(name: string, records = 1, size = 10): LogBatch {
  const made = batchOf(
    Array.from({ length: records }, (_, i) => ({ body: text(`${name}${i}`.padEnd(size, '.')) })),
  )
  made.identify(Buffer.alloc(32))
  return made
}

function commitOf(elementBytes: number, maxPendingBytes = 1e9) {
  const written: { element: Element; done: () => void; fail: (error: Error) => void }[] = []
  const commit = new GroupCommit({
    elementBytes,
    lingerMs: 1,
    pack: (requests) => packElement(requests, 'zstd'),
    maxPendingBytes,
    write: (element) =>
      new Promise<void>((resolve, reject) => {
        written.push({ element, done: resolve, fail: reject })
      }),
  })
  return { commit, written }
}

const bodies = (element: Element): unknown[] =>
  documentsOf(openElement(element.bytes)).map(({ body }) => String(body?.text).replace(/\.+$/, ''))

describe('a group commit', () => {
  it('gathers small requests in one element and answers each when that is durable', async () => {
    const { commit, written } = commitOf(1e6)
    const answered: string[] = []
    const all = ['a', 'b', 'c'].map((name) => commit.add(batch(name)).then(() => answered.push(name)))

    await expect.poll(() => written.length).toBe(1)
    expect(answered).toEqual([])
    written[0].done()
    await Promise.all(all)

    expect(bodies(written[0].element)).toEqual(['a0', 'b0', 'c0'])
    expect(written[0].element.records).toBe(3)
    expect(answered).toEqual(['a', 'b', 'c'])
  })

  it('splits a large request and answers it when the last piece is durable', async () => {
    const { commit, written } = commitOf(1000)
    let answered = false
    const adding = commit.add(batch('r', 10, 400)).then(() => {
      answered = true
    })

    await expect.poll(() => written.reduce((sum, { element }) => sum + element.records, 0)).toBe(10)
    for (const { done } of written.slice(1)) done()
    await new Promise((resolve) => setImmediate(resolve))
    expect(answered).toBe(false)
    written[0].done()
    await adding

    expect(written.length).toBeGreaterThan(3)
    expect(written.flatMap(({ element }) => bodies(element))).toEqual(
      Array.from({ length: 10 }, (_, i) => `r${i}`),
    )
  })

  it('fails everyone in an element that could not be written, and nobody else', async () => {
    const { commit, written } = commitOf(1e6)
    const lost = [commit.add(batch('a')), commit.add(batch('b'))]
    for (const each of lost) each.catch(() => {})
    await expect.poll(() => written.length).toBe(1)
    const kept = commit.add(batch('c'))
    await expect.poll(() => written.length).toBe(2)

    written[0].fail(new Error('gone'))
    written[1].done()

    expect(await Promise.allSettled(lost)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    await expect(kept).resolves.toBeUndefined()
    expect(commit.pendingBytes).toBe(0)
  })

  it('refuses what would be too much at once, but never a single request', async () => {
    const { commit, written } = commitOf(1e6, 500)
    const first = commit.add(batch('large', 1, 2000))

    await expect(commit.add(batch('b'))).rejects.toMatchObject({ name: 'RetryableError', reason: 'busy' })

    await expect.poll(() => written.length).toBe(1)
    written[0].done()
    await first
  })
})
