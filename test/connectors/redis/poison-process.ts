import { consume, nameOf, openBuffer } from './harness.ts'

// A drain that delivers slowly, several at once, and dies of a batch named `poison`.
const [url, stream, settings] = process.argv.slice(2)
const { connector } = await openBuffer(url, { stream, ...(JSON.parse(settings) as object) })
const consumer = consume(connector)
for (;;) {
  const lease = await consumer.next(60_000)
  const name = String(nameOf(lease.batch))
  setTimeout(() => {
    if (name === 'poison') process.kill(process.pid, 'SIGKILL')
    void lease.ack()
  }, 50)
}
