import { fuzzInWorker } from './in-worker.ts'
import { fuzzLive } from './live/fuzz.ts'
import { HELP, parseOptions } from './options.ts'

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === undefined) console.log(HELP)
  else {
    let defects = 0
    for (const target of options.targets) {
      defects += target === 'live' ? await fuzzLive(options) : await fuzzInWorker(target, options)
    }
    process.exitCode = defects > 0 ? 1 : 0
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
