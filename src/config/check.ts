import { z } from 'zod'
import { advice } from './fields.ts'
import { suggestion } from './nearest.ts'
import type { Path, Source } from './source.ts'

type Issue = z.core.$ZodIssue

/** A value that its schema accepts: as written, and as the schema reads it. */
export interface Checked<Schema extends z.ZodType> {
  readonly written: unknown
  readonly value: z.output<Schema>
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

const NO_BRANCH = 'none of the accepted forms'

/** Names an object knows, by the list of unknown ones that zod reports. */
const knownNames = new WeakMap<readonly string[], readonly string[]>()
/** What is to be said to some of the unknown ones, by the same list. */
const adviceFor = new WeakMap<readonly string[], Readonly<Record<string, string>>>()

/**
 * Checks what stands at `path`, reports all that is wrong with it, and returns it when it is usable.
 * Unknown keys are reported and left out. A key without a value counts as not written, or as an empty mapping
 * where one is wanted; a variable's text counts as a string where one is wanted.
 */
export function check<Schema extends z.ZodType>(
  source: Source,
  path: Path,
  schema: Schema,
  input: unknown,
): Checked<Schema> | undefined {
  let written = input
  for (;;) {
    const result = schema.safeParse(written, { error: words })
    if (result.success) return { written, value: result.data }
    const issues = result.error.issues.flatMap((issue) => innermost(issue))
    const mended = issues.reduce((tree, issue) => mend(source, path, tree, issue), written)
    if (mended === written) {
      for (const issue of issues) source.report([...path, ...issue.path], sentence(issue), place(issue))
      return undefined
    }
    written = mended
  }
}

/** Checks a mapping field by field, so that a wrong one does not hide its neighbours. */
export function checkFields<Shape extends Record<string, z.ZodType>>(
  source: Source,
  path: Path,
  schema: z.ZodObject<Shape>,
  input: unknown,
): { [Key in keyof Shape]?: Checked<Shape[Key]> } {
  const loose = z.strictObject(
    Object.fromEntries(Object.keys(schema.shape).map((key) => [key, z.unknown().optional()])),
  )
  const fields = check(source, path, loose, input)?.value
  const checked: { [Key in keyof Shape]?: Checked<Shape[Key]> } = {}
  if (fields === undefined) return checked
  for (const key of Object.keys(schema.shape) as (keyof Shape & string)[]) {
    const field = check(source, [...path, key], schema.shape[key], fields[key])
    if (field) checked[key] = field
  }
  return checked
}

/** The issues of the one branch of a union that the value was meant for, where that is plain to see. */
function innermost(issue: Issue, parents: Path = []): Issue[] {
  const path = [...parents, ...issue.path]
  if (issue.code === 'invalid_key') return [{ ...issue, path, message: issue.issues[0].message }]
  if (issue.code !== 'invalid_union' || issue.message !== NO_BRANCH) return [{ ...issue, path }]

  const close = issue.errors.filter((branch) => !branch.some(isAboutAll))
  const closest = close.filter((branch) => !branch.some(({ code }) => code === 'unrecognized_keys'))
  const meant = closest.length === 1 ? closest : close
  if (meant.length === 1) return meant[0].flatMap((inner) => innermost(inner, path))

  const wanted = new Set(
    issue.errors.flatMap((branch) => branch.filter(isAboutAll).map(({ message }) => message)),
  )
  return [{ ...issue, path, message: [...wanted].join(', or ') || NO_BRANCH }]
}

function isAboutAll({ path, code }: Issue): boolean {
  return path.length === 0 && code !== 'unrecognized_keys'
}

function mend(source: Source, root: Path, tree: unknown, issue: Issue): unknown {
  if (issue.code === 'unrecognized_keys') {
    const known = knownNames.get(issue.keys) ?? []
    const advised = adviceFor.get(issue.keys) ?? {}
    for (const key of issue.keys) {
      const message = Object.hasOwn(advised, key) ? advised[key] : `unknown option${suggestion(key, known)}`
      source.report([...root, ...issue.path, key], message, 'key')
    }
    return issue.keys.reduce((rest, key) => withValue(rest, [...issue.path, key], undefined), tree)
  }
  const expected = 'expected' in issue ? issue.expected : undefined
  if (valueAt(tree, issue.path) === null) {
    const isMapping = expected === 'object' || expected === 'record'
    return withValue(tree, issue.path, isMapping ? {} : undefined)
  }
  const text = expected === 'string' ? source.substituted([...root, ...issue.path]) : undefined
  return text !== undefined && valueAt(tree, issue.path) !== text ? withValue(tree, issue.path, text) : tree
}

function words(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject) {
    knownNames.set(issue.keys, Object.keys(issue.inst.shape))
    adviceFor.set(issue.keys, advice.get(issue.inst) ?? {})
  }
  if (issue.input === undefined && issue.code.startsWith('invalid_')) return 'required'
  if (issue.code === 'invalid_type') return `expected ${NOUNS[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `expected ${alternatives(issue.values)}`
  if (issue.code === 'invalid_union')
    return Array.isArray(issue.options) ? `expected ${alternatives(issue.options)}` : NO_BRANCH
  return undefined
}

function alternatives(values: readonly unknown[]): string {
  const quoted = values.map((value) => JSON.stringify(value))
  return [quoted.slice(0, -1).join(', '), ...quoted.slice(-1)].filter(Boolean).join(' or ')
}

/** `Too small: expected array to have >=1 items` without what stands before the colon. */
function sentence(issue: Issue): string {
  const text = issue.message.replace(/^[A-Z][a-z]+ [a-z]+: /, '')
  return /^[A-Z][a-z]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text
}

function place(issue: Issue): 'key' | 'value' {
  return issue.code === 'invalid_key' ? 'key' : 'value'
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step],
    tree,
  )
}

/** A copy of the tree with another value at one place, or without that key for `undefined`. */
function withValue(tree: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value
  if (Array.isArray(tree))
    return tree.map((item, index) => (index === step ? withValue(item, rest, value) : item))
  const { [step]: old, ...others } = tree as Record<PropertyKey, unknown>
  const replaced = withValue(old, rest, value)
  return replaced === undefined ? others : { ...(tree as object), [step]: replaced }
}
