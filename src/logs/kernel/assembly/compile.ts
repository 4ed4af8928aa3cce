import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

/** Of 64 KiB: up to the end of the regions in `memory.ts`. */
const PAGES = '1152'

/** Compiles the kernel. The same sources give the same bytes. */
export async function compile(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined
  const { error, stderr } = await main(
    [
      'index.ts',
      ...['--runtime', 'stub', '--noAssert', '-O3', '--enable', 'simd', '--enable', 'bulk-memory'],
      ...['--initialMemory', PAGES, '--maximumMemory', PAGES, '--outFile', 'kernel.wasm'],
    ],
    {
      readFile: (name) => {
        try {
          return readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8')
        } catch {
          return null
        }
      },
      writeFile: (_name, contents) => {
        binary = contents as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error !== null || binary === undefined) throw new Error(`the kernel does not compile: ${stderr}`)
  return binary
}

/** The TypeScript file that holds a compiled kernel: it is published, and loaded, like any other. */
export function moduleText(binary: Uint8Array): string {
  const lines =
    Buffer.from(binary)
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  return [
    '/** Compiled from assembly/ by `npm run kernel`; a test compiles it again and compares. */',
    'export const KERNEL = [',
    ...lines.map((line) => `  '${line}',`),
    "].join('')",
    '',
  ].join('\n')
}
