import { RetryableError } from '../../../src/component.ts'
import { SilenceError } from './link.ts'

/** What the first word of an error reply means here: the reason for metrics, and what to know or do. */
const ANSWERS: Readonly<Record<string, readonly [reason: string, meaning: string]>> = {
  OOM: ['full', 'it holds as much as its maxmemory allows, until drains make room'],
  MISCONF: ['misconf', 'it cannot write to its disk, and takes nothing until that is mended'],
  READONLY: ['readonly', 'it is a replica: the url must lead to the primary, or set sentinel or cluster'],
  LOADING: ['loading', 'it is reading its data from disk'],
  BUSY: ['busy', 'a script holds it up'],
  NOREPLICAS: ['no_replicas', 'fewer replicas follow than min-replicas-to-write asks for'],
  MASTERDOWN: ['unreachable', 'its primary is down'],
  CLUSTERDOWN: ['unreachable', 'its cluster is down'],
  MOVED: ['moved', 'it is a node of a cluster that does not hold this stream: set cluster instead of url'],
  ASK: ['moved', 'the stream is on its way to another node of the cluster'],
  TRYAGAIN: ['moved', 'the stream is on its way to another node of the cluster'],
  NOAUTH: ['denied', 'it wants a user and a password: set username and password'],
  WRONGPASS: ['denied', 'the user or the password is wrong'],
}

/** What a user may not do, also in a script. The server names the command, or says that it is the key; never a value. */
const DENIED =
  /^(?:NOPERM |ERR ACL failure in script: |ERR (?=The user executing the script can't))(.*?)(?: script: [0-9a-f]{40}.*)?$/

/** Answers of a server that is not, or no longer, the one to talk to. WAIT has words of its own. */
const ANOTHER = /^(?:MOVED|READONLY|CLUSTERDOWN|MASTERDOWN|UNBLOCKED) |replica instances/

/** Whether the answer says that the right server may be another one. */
export const tellsOfAnother = ({ message }: Error): boolean => ANOTHER.test(message)

/** Whether it is an answer of the server: it is there, and does not want to. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/**
 * What to tell senders about an error of a link; `roams`: the right server is looked for again. Error objects of
 * ioredis hold the arguments of their command, records and passwords among them, so that nothing of them goes along
 * but the text.
 */
export function describe(address: string, error: unknown, roams = false): RetryableError {
  if (error instanceof RetryableError) return error
  const text = textOf(error)
  const cause = new Error(text)
  if (error instanceof SilenceError) {
    return new RetryableError(`${address} ${text}`, { reason: 'timeout', cause })
  }
  if (!isReply(error)) {
    return new RetryableError(`${address} is unreachable: ${text}`, { reason: 'unreachable', cause })
  }
  const [, denial] = DENIED.exec(text) ?? []
  if (denial !== undefined) {
    const message = `${address} answered NOPERM: ${denial} (docs/redis.md lists what is needed)`
    return new RetryableError(message, { reason: 'denied', cause })
  }
  const word = /^[A-Z]+/.exec(text)?.[0] ?? ''
  const [reason, meaning] = meaningOf(word, text, roams && tellsOfAnother(error))
  return new RetryableError(`${address} answered ${word || 'an error'}: ${meaning}`, { reason, cause })
}

function meaningOf(word: string, text: string, another: boolean): readonly [string, string] {
  if (another) return ['moved', 'its place is taken by another server, which is looked for']
  return ANSWERS[word] ?? ['refused', text]
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Where several addresses were tried in vain, Node leaves the message empty.
  return error.message || ('code' in error ? String(error.code) : error.name)
}
