const ANY = Symbol('*')
const ANY_DEPTH = Symbol('**')
type Segment = string | typeof ANY | typeof ANY_DEPTH
type Path = readonly Segment[]

/** A name or `*` at the beginning or after a dot, or `[0]`, `[*]` or `["name"]`: where the last match ended. */
const SEGMENT =
  /(?:^|\.)(?:(\*\*?)(?=[.[]|$)|([^.[\]*"'`]+))|\[(?:(\*)|(\d+)|"([^"]*)"|'([^']*)'|`([^`]*)`)\]/y

/** Reads `req.headers["x-token"]`, `*.card`, `items[*].token` or `**.password`; undefined where it is none. */
export function parsePath(text: string): Path | undefined {
  const path: Segment[] = []
  SEGMENT.lastIndex = 0
  while (SEGMENT.lastIndex < text.length) {
    const match = text.startsWith('.') ? null : SEGMENT.exec(text)
    if (match === null) return undefined
    const [, stars, name, anyElement, ...quoted] = match
    if (stars === '**') path.push(ANY_DEPTH)
    else if (stars === '*' || anyElement === '*') path.push(ANY)
    else path.push(name ?? (quoted.find((text) => text !== undefined) as string))
  }
  return path.length === 0 || path.at(-1) === ANY_DEPTH ? undefined : path
}

/** Where the reader of a value stands in the paths. */
export interface PathState {
  /** Whether the value here is named by a path. */
  readonly redacts: boolean
  /** The state one level down; undefined where no path leads further. A key with dots goes down by its parts too. */
  next(key: string): PathState | undefined
  /** As `next`, for an element of an array. */
  element(index: number): PathState | undefined
}

/** Makes one automaton of the paths: looking at a key costs one lookup, however many paths there are. */
export function compilePaths(paths: readonly Path[]): PathState | undefined {
  if (paths.length === 0) return undefined
  return new Automaton(paths).state(paths.flatMap((_, path) => place(paths, path, 0)))
}

/** A path and how many of its segments are behind, as one number. */
type Place = number
const WIDTH = 1 << 16

/** The place, and the one behind it where `**` may stand for no level at all. */
function place(paths: readonly Path[], path: number, at: number): Place[] {
  const here = path * WIDTH + at
  return paths[path][at] === ANY_DEPTH ? [here, ...place(paths, path, at + 1)] : [here]
}

class Automaton {
  readonly paths: readonly Path[]
  readonly names: ReadonlySet<string>
  readonly #states = new Map<string, State>()

  constructor(paths: readonly Path[]) {
    this.paths = paths
    this.names = new Set(paths.flat().filter((segment) => typeof segment === 'string'))
  }

  state(places: readonly Place[]): State | undefined {
    if (places.length === 0) return undefined
    const sorted = [...new Set(places)].sort((a, b) => a - b)
    const id = sorted.join()
    let state = this.#states.get(id)
    if (state === undefined) {
      state = new State(this, sorted)
      this.#states.set(id, state)
    }
    return state
  }

  /** Where `places` lead with a key; `undefined` is a key that no path names. */
  step(places: readonly Place[], key: string | undefined): Place[] {
    return places.flatMap((here) => {
      const path = Math.floor(here / WIDTH)
      const at = here % WIDTH
      const segment = this.paths[path][at]
      if (segment === ANY_DEPTH) return place(this.paths, path, at)
      return segment === ANY || (segment !== undefined && segment === key)
        ? place(this.paths, path, at + 1)
        : []
    })
  }
}

class State implements PathState {
  readonly redacts: boolean
  readonly places: readonly Place[]
  readonly #automaton: Automaton
  readonly #named = new Map<string, State | undefined>()
  #other: State | undefined | null = null

  constructor(automaton: Automaton, places: readonly Place[]) {
    this.#automaton = automaton
    this.places = places
    this.redacts = places.some((here) => here % WIDTH === automaton.paths[Math.floor(here / WIDTH)].length)
  }

  next(key: string): PathState | undefined {
    if (!key.includes('.')) return this.step(key)
    const parts = key.split('.').reduce<State | undefined>((state, part) => state?.step(part), this)
    const whole = this.step(key)
    if (parts === undefined || whole === undefined) return parts ?? whole
    return this.#automaton.state([...parts.places, ...whole.places])
  }

  element(index: number): PathState | undefined {
    return this.step(String(index))
  }

  step(key: string): State | undefined {
    const automaton = this.#automaton
    if (!automaton.names.has(key)) {
      if (this.#other === null) this.#other = automaton.state(automaton.step(this.places, undefined))
      return this.#other
    }
    if (!this.#named.has(key)) this.#named.set(key, automaton.state(automaton.step(this.places, key)))
    return this.#named.get(key)
  }
}
