import { memory } from '../../memory.ts'
import { kernel } from '../kernel/kernel.ts'
import { JsonWriter } from './json-writer.ts'

let writing = false

/**
 * What `write` writes, about `size` bytes, in a buffer that `memory` may be given back. What the kernel is to help with
 * goes through its output, of which there is one: whoever writes, writes in one go.
 */
export function writeJson(
  size: number,
  write: (out: JsonWriter) => void,
  { withKernel = true }: { readonly withKernel?: boolean } = {},
): Buffer {
  if (writing) throw new Error('JSON is written by one at a time')
  writing = true
  try {
    const output = withKernel ? kernel?.output : undefined
    const out = new JsonWriter(output ?? memory.take(size))
    write(out)
    const written = out.bytes.subarray(0, out.pos)
    if (out.bytes !== output) return written
    const copy = memory.take(out.pos)
    copy.set(written)
    return copy
  } finally {
    writing = false
  }
}
