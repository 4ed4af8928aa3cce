import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { type Request, RequestSchema } from '../../oracle/oracle.ts'

/** What another reader makes of OTLP/JSON: `JSON.parse`, then protobuf-es' reading of ProtoJSON. */
export interface OtherReading {
  /** Whether the text is JSON at all. */
  readonly isJson: boolean
  /** Undefined where protobuf-es refuses it, which does not forgive as much, or where the text says something twice. */
  readonly request: Request | undefined
}

const ID = /^(?:trace_?id|span_?id)$/i

export function readOtherwise(text: string): OtherReading {
  let ambiguous = false
  let value: unknown
  try {
    value = JSON.parse(text, function (this: unknown, key, part: unknown, context?: { source?: string }) {
      // Integers keep their digits, and ids are hex in OTLP where ProtoJSON has base64.
      if (typeof part === 'number' && Number.isInteger(part) && !Number.isSafeInteger(part))
        return context?.source
      if (typeof part === 'string' && ID.test(key)) return Buffer.from(part, 'hex').toString('base64')
      return part
    })
    ambiguous = saysTwice(text)
  } catch {
    return { isJson: false, request: undefined }
  }
  if (ambiguous) return { isJson: true, request: undefined }
  try {
    return {
      isJson: true,
      request: fromJson(RequestSchema, value as JsonValue, { ignoreUnknownFields: true }),
    }
  } catch {
    return { isJson: true, request: undefined }
  }
}

/** Whether an object of a JSON text has a key twice, `__proto__` included. */
function saysTwice(text: string): boolean {
  const open: Set<string>[] = []
  for (const [token, key] of text.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (key !== undefined) {
      // The same member by its two names.
      const name = (JSON.parse(key) as string).replaceAll('_', '').toLowerCase()
      if (open.at(-1)?.size === open.at(-1)?.add(name).size) return true
    }
  }
  return false
}
