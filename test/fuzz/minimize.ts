/** A shorter input of which `isSame` still holds: pieces are left out as long as that works. */
export function minimized(input: Buffer, isSame: (shorter: Buffer) => boolean): Buffer {
  let shortest = input
  for (let size = input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= shortest.length; ) {
      const shorter = Buffer.concat([shortest.subarray(0, at), shortest.subarray(at + size)])
      if (isSame(shorter)) shortest = shorter
      else at += size
    }
  }
  return shortest
}
