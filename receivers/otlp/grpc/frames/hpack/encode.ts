/**
 * Writes header blocks: RFC 7541. Every field is a literal that nobody is to remember, so a block means the same on
 * every connection, whenever it is sent, and can be made ready once.
 */

/** Section 6.2.2. */
const WITHOUT_INDEXING = 0x00
const INDEXED = 0x80
const PREFIX_4 = 0x0f
const PREFIX_7 = 0x7f
/** Of the static table. */
const STATUS_200 = 8
const STATUS = 8
const CONTENT_TYPE = 31

/** Says that the table of the peer shall hold nothing: section 6.3. */
export const EMPTY_TABLE: Buffer = Buffer.from([0x20])

/** The fields of an answer. Values are characters of one byte. */
export function encodeFields(fields: Readonly<Record<string, string | number>>): Buffer {
  return Buffer.concat(Object.entries(fields).map(([name, value]) => encodeField(name, String(value))))
}

function encodeField(name: string, value: string): Buffer {
  if (name === ':status') {
    if (value === '200') return Buffer.from([INDEXED | STATUS_200])
    return Buffer.concat([integer(STATUS, PREFIX_4), text(value)])
  }
  if (name === 'content-type') return Buffer.concat([integer(CONTENT_TYPE, PREFIX_4), text(value)])
  return Buffer.concat([Buffer.from([WITHOUT_INDEXING]), text(name), text(value)])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([integer(bytes.length, PREFIX_7), bytes])
}

/** Section 5.1. All that goes before the prefix are zeros. */
function integer(value: number, prefix: number): Buffer {
  if (value < prefix) return Buffer.from([value])
  const bytes = [prefix]
  let rest = value - prefix
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
