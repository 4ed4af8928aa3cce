/** Where a member of an object lies: the key without its quotes. JSON is as the exporter writes it, without blanks. */
export interface Member {
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
}

const QUOTE = 0x22
export const OPEN = 0x7b
const CLOSE = 0x7d
const LIST = 0x5b
const END_OF_LIST = 0x5d
const COMMA = 0x2c
const BACKSLASH = 0x5c

/** The members of the object that begins at `at`. */
export function* membersOf(bytes: Buffer, at: number): Generator<Member, void, undefined> {
  let pos = at + 1
  while (bytes[pos] === QUOTE) {
    const keyEnd = afterText(bytes, pos) - 1
    const valueStart = keyEnd + 2
    const valueEnd = afterValue(bytes, valueStart)
    yield { keyStart: pos + 1, keyEnd, valueStart, valueEnd }
    pos = valueEnd + (bytes[valueEnd] === COMMA ? 1 : 0)
  }
}

/** The end of the text that begins with the quote at `at`. */
function afterText(bytes: Buffer, at: number): number {
  for (let end = bytes.indexOf(QUOTE, at + 1); ; end = bytes.indexOf(QUOTE, end + 1)) {
    let slashes = 0
    while (bytes[end - 1 - slashes] === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end + 1
  }
}

function afterValue(bytes: Buffer, at: number): number {
  let pos = at
  let depth = 0
  do {
    const byte = bytes[pos]
    if (byte === QUOTE) {
      pos = afterText(bytes, pos)
      continue
    }
    if (byte === OPEN || byte === LIST) depth++
    else if (byte === CLOSE || byte === END_OF_LIST) depth--
    else if (depth === 0) {
      while (isScalar(bytes[pos])) pos++
      return pos
    }
    pos++
  } while (depth > 0)
  return pos
}

/** Whether a byte is one of a number, `true`, `false` or `null`. */
const isScalar = (byte: number): boolean => byte !== COMMA && byte !== CLOSE && byte !== END_OF_LIST
