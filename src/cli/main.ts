#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=4194304 node --max-semi-space-size=8 --single-threaded-gc
// Nothing is imported before the check: older versions could not even link what Sluice needs.
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

export {}
