import { RetryableError } from '../../../src/component.ts'

/** What the first word of an error reply means here: the reason for metrics, and what to know or do. */
const ANSWERS: Readonly<Record<string, readonly [reason: string, meaning: string]>> = {
  OOM: ['full', 'it holds as much as its maxmemory allows, until drains make room'],
  MISCONF: ['misconf', 'it cannot write to its disk, and takes nothing until that is mended'],
  READONLY: ['readonly', 'it is a replica: the url must lead to the primary'],
  LOADING: ['loading', 'it is reading its data from disk'],
  BUSY: ['busy', 'a script holds it up'],
  NOREPLICAS: ['no_replicas', 'fewer replicas follow than min-replicas-to-write asks for'],
  MASTERDOWN: ['unreachable', 'its primary is down'],
  CLUSTERDOWN: ['unreachable', 'its cluster is down'],
  MOVED: ['misconf', 'it is a node of a cluster that does not hold this stream'],
  NOAUTH: ['denied', 'the url needs a user and a password'],
  WRONGPASS: ['denied', 'the user or the password in the url is wrong'],
  NOPERM: ['denied', 'its user lacks a permission'],
}

/** Whether it is an answer of the server: it is there, and does not want to. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/**
 * What to tell senders about an error of the client. Error objects of ioredis hold the arguments of their command,
 * records and passwords among them, so that nothing of them goes along but the text.
 */
export function describe(address: string, error: unknown): RetryableError {
  if (error instanceof RetryableError) return error
  const text = textOf(error)
  const cause = new Error(text)
  if (!isReply(error)) {
    return new RetryableError(`${address} is unreachable: ${text}`, { reason: 'unreachable', cause })
  }
  const word = /^[A-Z]+/.exec(text)?.[0] ?? ''
  const [reason, meaning] = ANSWERS[word] ?? ['refused', text]
  return new RetryableError(`${address} answered ${word || 'an error'}: ${meaning}`, { reason, cause })
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where several addresses were tried in vain, Node leaves the message empty.
  return error.message || ('code' in error ? String(error.code) : error.name)
}
