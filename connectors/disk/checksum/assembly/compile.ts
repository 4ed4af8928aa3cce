import { readFileSync, writeFileSync } from 'node:fs'
import { main } from 'assemblyscript/asc'

const SOURCE = 'crc32c.ts'
/** Of 64 KiB: tables, and a page of input. */
const PAGES = '2'

/** Compiles the checksum. The same source gives the same bytes. */
async function compile(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined
  const { error, stderr } = await main(
    [
      SOURCE,
      ...['--runtime', 'stub', '--noAssert', '-O3'],
      ...['--initialMemory', PAGES, '--maximumMemory', PAGES, '--outFile', 'crc32c.wasm'],
    ],
    {
      readFile: (name) => (name === SOURCE ? readFileSync(new URL(name, import.meta.url), 'utf8') : null),
      writeFile: (_name, contents) => {
        binary = contents as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error !== null || binary === undefined) throw new Error(`the checksum does not compile: ${stderr}`)
  return binary
}

/** The TypeScript file that holds the compiled checksum: it is published, and loaded, like any other. */
export async function moduleText(): Promise<string> {
  const lines =
    Buffer.from(await compile())
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  return [
    '/** Compiled from assembly/ by `npm run kernel`; a test compiles it again and compares. */',
    'export const CRC32C = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('')",
    '',
  ].join('\n')
}

if (import.meta.main) writeFileSync(new URL('../module.ts', import.meta.url), await moduleText())
