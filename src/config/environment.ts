import { type Document, parse, type Scalar, visit } from 'yaml'

/** What `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>

const REFERENCE = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/s
/** Everything that YAML reads as something else than text: numbers, true, false, null, nothing. */
const TYPED = /^(?:~?|[-+]?\.?\w[\w.+-]*)$/

/**
 * Replaces the variables in every value of a document, in place; keys stay as they are.
 * A value that is one reference and stands without quotes takes the type that its text has in YAML.
 * Returns the texts of those values: where a string is wanted, `0123` is not the number 123.
 */
export function substitute(
  document: Document,
  env: Environment,
  report: (node: Scalar, ancestors: readonly unknown[], message: string) => void,
): WeakMap<object, string> {
  const texts = new WeakMap<object, string>()
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      const problems: string[] = []
      const text = expand(node.value, env, problems)
      for (const problem of problems) report(node, ancestors, problem)
      if (problems.length > 0) return
      if (node.type === 'PLAIN' && isOneReference(node.value)) {
        node.value = TYPED.test(text) ? parse(text) : text
        texts.set(node, text)
      } else {
        node.value = text
      }
    },
  })
  return texts
}

/** Replaces `${env:NAME}`, `${env:NAME:-default}` and `${NAME}`. `$${` stands for `${`, as in the Collector. */
function expand(text: string, env: Environment, problems: string[]): string {
  let result = ''
  let done = 0
  for (const { 0: opening, index } of text.matchAll(/\$+\{/g)) {
    if (index < done) continue
    const dollars = opening.length - 1
    result += text.slice(done, index) + '$'.repeat(dollars >> 1)
    const brace = index + dollars
    if (dollars % 2 === 0) {
      done = brace
      continue
    }
    const end = closingBrace(text, brace)
    if (end === -1) {
      problems.push('"${" has no "}"; write "$${" for a literal "${"')
      return text
    }
    result += resolve(text.slice(brace + 1, end), env, problems)
    done = end + 1
  }
  return result + text.slice(done)
}

function resolve(reference: string, env: Environment, problems: string[]): string {
  const [match, name, fallback] = REFERENCE.exec(reference) ?? []
  if (match === undefined) {
    problems.push(`"\${${reference}}" is not of the form \${env:NAME}; write "$\${" for a literal "\${"`)
    return ''
  }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  // As in a shell, ":-" also stands in for a variable that is set to nothing.
  if (fallback !== undefined) return value || expand(fallback, env, problems)
  if (value === undefined) problems.push(`environment variable ${name} is not set`)
  return value ?? ''
}

function isOneReference(text: string): boolean {
  return text.startsWith('${') && closingBrace(text, 1) === text.length - 1
}

function closingBrace(text: string, opening: number): number {
  let depth = 0
  for (let at = opening; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at
  }
  return -1
}
