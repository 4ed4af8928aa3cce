import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { moduleText } from '../../../connectors/disk/checksum/assembly/compile.ts'
import { crc32c } from '../../../connectors/disk/checksum/crc32c.ts'
import { HEADER_BYTES } from '../../../connectors/disk/segment.ts'
import { runs } from '../../support/arbitraries.ts'
import { batchOf, drain, newFolder, openBuffer, segmentsIn } from './harness.ts'

/** A bit at a time, as it is defined. */
function plain(bytes: Uint8Array): number {
  let sum = 0xffff_ffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f6_3b78 : 0)
  }
  return ~sum >>> 0
}

describe('CRC-32C', () => {
  it.each([
    ['the digits', Buffer.from('123456789'), 0xe306_9283],
    ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
    ['32 bytes of 255', Buffer.alloc(32, 255), 0x62a8_ab43],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is what RFC 3720 says', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum)
  })

  it('of any bytes is what the definition says, in one go or in two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (array, cut) => {
        const bytes = Buffer.from(array)
        expect(crc32c(bytes)).toBe(plain(bytes))
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(plain(bytes))
      }),
      runs(),
    )
  })

  it.each([65_535, 65_536, 65_537, 200_003])('goes on beyond what it takes at once (%d bytes)', (size) => {
    const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31) >>> 3))

    expect(crc32c(bytes)).toBe(plain(bytes))
  })

  it('is the one that its source compiles to', { timeout: 60_000 }, async () => {
    const kept = readFileSync(new URL('../../../connectors/disk/checksum/module.ts', import.meta.url), 'utf8')

    expect((await moduleText()) === kept, 'out of date: npm run kernel').toBe(true)
  })
})

/** Makes a segment what version 1 wrote: other checksums, and the number in the header. */
function toVersion1(path: string): void {
  const bytes = readFileSync(path)
  bytes[7] = 1
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4)
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32LE(at)
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 8, end)), at + 4)
    at = end
  }
  writeFileSync(path, bytes)
}

describe('a segment of version 1', () => {
  it('is read, and goes on in one of version 2', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b')
    await before.stop()
    toVersion1(join(folder, '0000000000000000.seg'))

    await using buffer = await openBuffer(folder)
    await buffer.pushNamed('c')
    const versions = (await segmentsIn(folder)).map((name) => readFileSync(join(folder, name))[7])

    expect(versions).toEqual([1, 2])
    expect(await drain(buffer)).toEqual(['a', 'b', 'c'])
    expect(await buffer.context.value('sluice_buffer_corrupt_bytes_total')).toBe(0)
  })

  it('is read where its header is damaged, so that the version is not known', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.pushNamed('a', 'b')
    await before.stop()
    const path = join(folder, '0000000000000000.seg')
    toVersion1(path)
    const bytes = readFileSync(path)
    bytes[3] ^= 1
    writeFileSync(path, bytes)

    await using buffer = await openBuffer(folder)

    expect(await drain(buffer)).toEqual(['a', 'b'])
  })

  it('loses a record whose checksum is that of the other version', async () => {
    const folder = newFolder()
    const before = await openBuffer(folder)
    await before.push(batchOf(1, () => 'a'))
    await before.stop()
    const path = join(folder, '0000000000000000.seg')
    const record = readFileSync(path).subarray(HEADER_BYTES)
    toVersion1(path)
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, HEADER_BYTES), record]))

    await using buffer = await openBuffer(folder)

    expect(await drain(buffer)).toEqual([])
    expect(await buffer.context.value('sluice_buffer_corrupt_bytes_total')).toBe(record.length)
  })
})
