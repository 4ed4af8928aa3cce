#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=524288 MALLOC_TRIM_THRESHOLD_=4194304 node --max-semi-space-size=8 --single-threaded-gc --no-incremental-marking --heap-growing-percent=20
// JavaScript: older versions could not read anything else to say so, and what strips types is 27 MiB that nobody needs
// once what it made is in the cache.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`sluice needs Node 22.18 or newer, and this is ${process.version}\n`)
  process.exit(1)
}
// From the second start on, nothing is compiled again, nor are types stripped.
const { enableCompileCache } = await import('node:module')
enableCompileCache()
const { start } = await import('./start.ts')
process.exit(await start())
