import { format } from 'node:util'
import type { ForeignRecord } from '../../logger/logger.ts'
import { isError } from '../../record/error.ts'
import { isPlainObject } from '../shared/plain-object.ts'

const PLACEHOLDER = /%[sdifjoOc]/g

type Content = Pick<ForeignRecord, 'body' | 'fields' | 'error'>

/**
 * What a call of a console says. Placeholders are filled in as `util.format` does. Of what they do not take, the first
 * error becomes `exception.*`, plain objects become fields, which redaction knows, and the rest stands in the text.
 */
export function contentOfCall(args: readonly unknown[]): Content {
  const [first] = args
  const taken =
    typeof first === 'string' ? 1 + (first.replaceAll('%%', '').match(PLACEHOLDER)?.length ?? 0) : 0
  const texts = args.slice(0, taken)
  let error: Error | undefined
  let fields: object | undefined
  for (const value of args.slice(taken)) {
    if (error === undefined && isError(value)) error = value
    else if (isPlainObject(value)) fields = fields === undefined ? value : { ...fields, ...value }
    else texts.push(value)
  }
  return { body: texts.length === 0 ? error?.message : format(...texts), fields, error }
}
