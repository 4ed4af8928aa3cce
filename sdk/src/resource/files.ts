import { readFileSync } from 'node:fs'

/** Reads the small files that the system describes itself in. */
export interface Files {
  /** The text; undefined where there is none. */
  read(path: string): string | undefined
}

/** Of the machine. Files of `/proc`, `/sys` and `/etc` are answered from memory: reading them takes no time to speak of. */
export const systemFiles: Files = {
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}
