import { crc32 } from 'node:zlib'

/** A record as a sink sees it. */
export interface Arrival {
  readonly id: string
  readonly seq: number
  readonly hash: number
}

/** What a sink holds, by the rules of `create`: an id is stored once, and a second time answered with 409. */
export class Documents {
  /** Records that arrived again under the id they had. */
  repeated = 0
  /** Records that arrived again under another id: a second document. */
  readonly doubled: number[] = []
  /** Records that came with the id of another one, and are lost by it. */
  readonly collided: number[] = []
  #size = 0
  #highest = -1
  #hashes = new Uint32Array(2 ** 16)
  /** A hash of the id each record has; 0: the record is not there. */
  #ids = new Uint32Array(2 ** 16)
  readonly #owners: Map<string, number> | undefined

  /** Without `exact` ids of different records are not compared: for more records than a map can hold. */
  constructor(exact = true) {
    this.#owners = exact ? new Map() : undefined
  }

  /** Different records that are there. */
  get size(): number {
    return this.#size
  }

  /** Above all numbers that are there. */
  get end(): number {
    return this.#highest + 1
  }

  has(seq: number): boolean {
    return seq <= this.#highest && this.#ids[seq] !== 0
  }

  hashOf(seq: number): number {
    return this.#hashes[seq]
  }

  /** Stores a document; returns the status that Elasticsearch answers to `create`. */
  create({ id, seq, hash }: Arrival): 201 | 409 {
    const owner = this.#owners?.get(id)
    if (owner !== undefined) {
      if (owner === seq) this.repeated++
      else this.collided.push(seq)
      return 409
    }
    this.#owners?.set(id, seq)
    while (this.#ids.length <= seq) this.#grow()
    const idHash = crc32(id) || 1
    const before = this.#ids[seq]
    if (before === 0) {
      this.#ids[seq] = idHash
      this.#hashes[seq] = hash
      this.#size++
      this.#highest = Math.max(this.#highest, seq)
      return 201
    }
    if (before === idHash && this.#owners === undefined) {
      this.repeated++
      return 409
    }
    this.doubled.push(seq)
    return 201
  }

  #grow(): void {
    const [hashes, ids] = [this.#hashes, this.#ids]
    this.#hashes = new Uint32Array(hashes.length * 2)
    this.#hashes.set(hashes)
    this.#ids = new Uint32Array(ids.length * 2)
    this.#ids.set(ids)
  }
}
