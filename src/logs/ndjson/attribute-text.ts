import type { BatchData } from '../data.ts'
import { EDITED, L } from '../structure.ts'
import { Record, Scope } from '../wire.ts'
import { attributeText, scopeMessage, textField } from './otel-context.ts'

/** The text of an attribute of a scope itself; undefined where it is missing or no text. */
export function scopeText(data: BatchData, scope: number, name: string): string | undefined {
  return attributeText(scopeMessage(data, scope), Scope.attributes, name)
}

/** The name of a scope, which may be empty. */
export function scopeName(data: BatchData, scope: number): string {
  const message = scopeMessage(data, scope)
  return message.toString('utf8', ...textField(message, Scope.name))
}

/** The text of an attribute of a record; undefined where it is missing or no text. */
export function recordText(data: BatchData, record: number, name: string): string | undefined {
  const { rows, bytes } = data
  const row = record * L.STRIDE
  const edited = (rows[row + L.STATE] & EDITED) === 0 ? undefined : data.edits.get(record)
  const message = edited ?? bytes.subarray(rows[row + L.START], rows[row + L.END])
  return attributeText(message, Record.attributes, name)
}
