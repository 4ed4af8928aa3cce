import type { Telling } from './records.ts'
import type { Attribute, Value } from './values.ts'

/**
 * What is to be sent, in lines that a program of any language reads with a few of its own: a word and what belongs to it.
 * Texts are UTF-16 in hex, so that nothing on the way changes them; the members of a list follow it.
 */
export function linesOf({ resource, scope, records }: Telling): string {
  const lines: string[] = []
  const text = (value: string): void => void lines.push(`string ${hex(value)}`)
  const attributes = (members: readonly Attribute[]): void => {
    lines.push(`map ${members.length}`)
    for (const [key, value] of members) {
      text(key)
      any(value)
    }
  }
  const any = (value: Value): void => {
    if (value === null) lines.push('null')
    else if ('string' in value) text(value.string)
    else if ('bool' in value) lines.push(`bool ${value.bool}`)
    else if ('int' in value) lines.push(`int ${value.int}`)
    else if ('double' in value) lines.push(`double ${Object.is(value.double, -0) ? '-0.0' : value.double}`)
    else if ('bytes' in value) lines.push(`bytes ${value.bytes}`)
    else if ('array' in value) {
      lines.push(`array ${value.array.length}`)
      value.array.forEach(any)
    } else attributes(value.map)
  }
  attributes(resource)
  for (const part of [scope.name, scope.version, scope.schemaUrl]) text(part)
  attributes(scope.attributes)
  for (const { severity, time, observed, traceId, spanId, flags, ...record } of records) {
    lines.push(`record ${severity} ${time} ${observed} ${traceId || '-'} ${spanId || '-'} ${flags}`)
    text(record.severityText)
    text(record.eventName)
    any(record.body)
    attributes(record.attributes)
  }
  return `${lines.join('\n')}\n`
}

const hex = (text: string): string => Buffer.from(text, 'utf16le').swap16().toString('hex')
