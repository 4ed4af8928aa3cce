import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { type Environment, substitute } from './environment.ts'
import { ConfigError, type ConfigIssue } from './errors.ts'

/** Keys and list positions from the top of the file. */
export type Path = readonly PropertyKey[]

/** A config file in plain values, with the variables replaced, that still knows where everything stands. */
export class Source {
  readonly file: string
  readonly value: unknown
  readonly issues: ConfigIssue[] = []
  readonly warnings: ConfigIssue[] = []
  readonly #document: Document
  readonly #lines = new LineCounter()
  readonly #texts: WeakMap<object, string>
  readonly #broken = new WeakSet<object>()

  /** Throws a `ConfigError` when the text is no YAML; what else is wrong is collected in `issues`. */
  constructor(file: string, text: string, env: Environment) {
    this.file = file
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      uniqueKeys: false,
    })
    this.#syntax(text)
    this.#aliases()
    this.#keys()
    this.#texts = substitute(this.#document, env, (node, ancestors, message) => {
      this.#broken.add(node)
      this.issues.push(this.#issue(node.range?.[0], formatPath(pathOf(node, ancestors)), message))
    })
    try {
      this.value = this.#document.toJS()
    } catch (cause) {
      throw ConfigError.about(file, cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }

  /** Notes an issue at a value, or at its key; for a missing one at the nearest parent that is there. */
  report(path: Path, message: string, at: 'value' | 'key' = 'value'): void {
    const node = this.#locate(path, at)
    if (node && this.#broken.has(node)) return
    this.issues.push(this.#issue(node?.range?.[0], formatPath(path), message))
  }

  /** Notes something odd at a key that is no reason to refuse the file. */
  warn(path: Path, message: string): void {
    this.warnings.push(this.#issue(this.#locate(path, 'key')?.range?.[0], formatPath(path), message))
  }

  /** The text that an unquoted `${…}` at this place was replaced with. */
  substituted(path: Path): string | undefined {
    const node = this.#locate(path, 'value')
    return node && this.#texts.get(node)
  }

  /** All issues collected so far, in the order of the file. */
  error(): ConfigError {
    return new ConfigError(this.issues.toSorted((a, b) => a.line - b.line || a.column - b.column))
  }

  #syntax(text: string): void {
    const lines = new Set<number>()
    for (const error of [...this.#document.errors, ...this.#document.warnings]) {
      // Some errors are placed at the end of the line before.
      const offset = error.pos[0] + (/^[\r\n]+/.exec(text.slice(error.pos[0]))?.[0].length ?? 0)
      const issue = this.#issue(offset, '', explain(error, text))
      // One slip makes the parser stumble several times in a line.
      if (lines.has(issue.line)) continue
      lines.add(issue.line)
      this.issues.push(issue)
    }
    if (lines.size > 0) throw this.error()
  }

  #aliases(): void {
    let usable = true
    visit(this.#document, {
      Alias: (_, node, ancestors) => {
        const target = node.resolve(this.#document)
        if (target && !ancestors.includes(target)) return
        usable = false
        const message = target
          ? `alias "${node.source}" contains itself`
          : `no anchor "&${node.source}" above`
        this.issues.push(this.#issue(node.range?.[0], '', message))
      },
    })
    if (!usable) throw this.error()
  }

  /** Reports and takes out the keys that no plain object can have. */
  #keys(): void {
    visit(this.#document, {
      Map: (_, node, ancestors) => {
        const names = new Set<string>()
        node.items = node.items.filter(({ key }) => {
          const name = isScalar(key) ? String(key.value) : undefined
          if (name !== undefined && !names.has(name)) {
            names.add(name)
            return true
          }
          const path = [...pathOf(node, ancestors), ...(name === undefined ? [] : [name])]
          const message = name === undefined ? 'a key is plain text' : 'this key is already there'
          this.issues.push(this.#issue((key as Node).range?.[0], formatPath(path), message))
          return false
        })
      },
    })
  }

  #locate(path: Path, at: 'value' | 'key'): Node | undefined {
    let node: unknown = this.#document.contents
    let key: unknown
    for (const step of path) {
      const parent: unknown = isAlias(node) ? node.resolve(this.#document) : node
      let child: { key?: unknown; value: unknown } | undefined
      if (isMap(parent)) {
        child = parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step))
      } else if (isSeq(parent) && typeof step === 'number' && step < parent.items.length) {
        child = { value: parent.items[step] }
      }
      if (child === undefined) return (key ?? node) as Node
      key = child.key
      node = child.value
    }
    const empty = node === null || (isScalar(node) && node.value === null && !this.#texts.has(node))
    return (at === 'key' || empty ? (key ?? node) : node) as Node
  }

  #issue(offset: number | undefined, path: string, message: string): ConfigIssue {
    const { line, col } = this.#lines.linePos(offset ?? 0)
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1), path, message }
  }
}

function pathOf(node: Node, ancestors: readonly unknown[]): Path {
  return ancestors.flatMap((ancestor, depth): Path => {
    if (isPair(ancestor)) return [String(isScalar(ancestor.key) ? ancestor.key.value : ancestor.key)]
    return isSeq(ancestor) ? [ancestor.items.indexOf(ancestors[depth + 1] ?? node)] : []
  })
}

function explain({ code, message, pos: [offset] }: YAMLError, text: string): string {
  const rest = text.slice(offset)
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here, a config file has one'
  const isReference = /^\$?\{/.test(rest)
  return isReference ? `${message}; put a value with \${…} in quotes inside [ ] and { }` : message
}

function formatPath(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .slice(1)
}
