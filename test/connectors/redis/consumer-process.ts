import { consume, openBuffer } from './harness.ts'

// A drain that takes what there is and never settles it; the test kills it.
const [url, stream, count, settings] = process.argv.slice(2)
const { connector } = await openBuffer(url, { stream, ...(JSON.parse(settings) as object) })
const consumer = consume(connector)
for (let i = 0; i < Number(count); i++) await consumer.next()
process.stdout.write('holding\n')
setInterval(() => {}, 1_000)
