import { answerOf, honest, type Move } from './hostile-sink.ts'

const MANY = 1_000_000

/** Answers the whole request with a status, and stores nothing. */
export const refuse =
  (status: number, headers: Readonly<Record<string, string>> = {}): Move =>
  async (exchange) => {
    await exchange.arrivals()
    exchange.respond(status, '{"error":{"type":"some_exception","reason":"hostile"}}', headers)
  }

/** Says of every document that it is to come again. */
export const refuseItems =
  (status: number): Move =>
  async (exchange) => {
    exchange.answer((await exchange.arrivals()).map(() => status))
  }

/** Stores some documents, and says of the others that they are to come again, for all kinds of reasons. */
export const mixed =
  (random: () => number): Move =>
  async (exchange) => {
    const trouble = [429, 503, 403, 401, 500, 302]
    const statuses = (await exchange.arrivals()).map((arrival) =>
      random() < 0.5 ? exchange.store(arrival) : trouble[Math.floor(random() * trouble.length)],
    )
    exchange.answer(statuses)
  }

/** Takes everything, some of it into the failure store of the data stream. */
export const failureStore: Move = async (exchange) => {
  const statuses = (await exchange.arrivals()).map((arrival) => exchange.store(arrival))
  const items = statuses.map((status, i) => ({ create: { status, ...(i % 5 === 0 && USED) } }))
  exchange.respond(200, JSON.stringify({ errors: false, items }))
}
const USED = { failure_store: 'used' }

/** Refuses what is larger, as a proxy does: before it has read it, and never to be asked on this connection again. */
export const tooLarge =
  (limit: number): Move =>
  (exchange) => {
    if (exchange.bytes <= limit) return honest(exchange)
    exchange.respond(413, '<html>413 Request Entity Too Large</html>', { connection: 'close' })
    exchange.request.resume()
  }

/** Refuses a request as a whole when it holds one record that spoils it. */
export const spoiled =
  (spoils: (seq: number) => boolean): Move =>
  async (exchange) => {
    const arrivals = await exchange.arrivals()
    if (arrivals.some(({ seq }) => spoils(seq))) exchange.respond(400, '{"error":{},"status":400}')
    else exchange.answer(arrivals.map((arrival) => exchange.store(arrival)))
  }

/** Takes and stores everything, and answers something that is no answer to it. */
const storeAndSay =
  (say: (answer: string, statuses: readonly number[]) => string, headers = {}): Move =>
  async (exchange) => {
    const statuses = (await exchange.arrivals()).map((arrival) => exchange.store(arrival))
    exchange.respond(200, say(answerOf(statuses), statuses), headers)
  }

/** Stores nothing, and answers 200 all the same. */
const forgetAndSay =
  (say: (count: number) => string, headers = {}): Move =>
  async (exchange) => {
    const { length } = await exchange.arrivals()
    exchange.respond(200, say(length), headers)
  }

const taken = (count: number): string => answerOf(Array(count).fill(201))

/** Answers of 200 that say nothing, or something about another request. */
export const GARBAGE: Readonly<Record<string, Move>> = {
  'a page of HTML': forgetAndSay(() => '<!doctype html><title>Welcome</title>', {
    'content-type': 'text/html',
  }),
  'nothing, though it has stored': storeAndSay(() => ''),
  'nothing, and has stored nothing': forgetAndSay(() => ''),
  'an answer cut off': storeAndSay((answer) => answer.slice(0, answer.length / 2)),
  'an answer cut off, of what it has not stored': forgetAndSay((count) => taken(count).slice(0, -20)),
  'one item too few': forgetAndSay((count) => taken(count - 1)),
  'one item too many': forgetAndSay((count) => taken(count + 1)),
  'the error of another server': forgetAndSay(() => '{"message":"no Route matched with those values"}'),
  'items that are none': forgetAndSay((count) => JSON.stringify({ items: Array(count).fill(null) })),
  'another status than a number': forgetAndSay((count) => taken(count).replaceAll('201', '"created"')),
  null: forgetAndSay(() => 'null'),
}

/** Answers without end: one body, or many heads. */
export const ENDLESS: Readonly<Record<string, Move>> = {
  'a body without end': async (exchange) => {
    await exchange.arrivals()
    exchange.response.writeHead(200, { 'content-type': 'application/json' })
    const chunk = Buffer.alloc(2 ** 20, ' ')
    const write = (): void => {
      while (!exchange.socket.destroyed && exchange.response.write(chunk));
    }
    exchange.response.on('drain', write)
    write()
  },
  'a head without end': async (exchange) => {
    await exchange.arrivals()
    exchange.socket.write(`HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(MANY)}`)
  },
}

/** Stored, and the sender never hears of it in full. */
export const UNHEARD: Readonly<Record<string, Move>> = {
  'cut before the answer': async (exchange) => {
    for (const arrival of await exchange.arrivals()) exchange.store(arrival)
    exchange.cut()
  },
  'cut within the head of the answer': async (exchange) => {
    for (const arrival of await exchange.arrivals()) exchange.store(arrival)
    exchange.socket.end('HTTP/1.1 200 OK\r\ncontent-le')
  },
  'cut within the body of the answer': async (exchange) => {
    const answer = answerOf((await exchange.arrivals()).map((arrival) => exchange.store(arrival)))
    exchange.socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer.slice(0, -9)}`)
  },
  'cut within a chunk of the answer': async (exchange) => {
    const answer = answerOf((await exchange.arrivals()).map((arrival) => exchange.store(arrival)))
    const size = answer.length.toString(16)
    exchange.socket.end(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\n${answer}\r\n`)
  },
}

/** Reset before anything is stored. */
export const RESETS: Readonly<Record<string, Move>> = {
  'at the head of the request': (exchange) => exchange.cut(),
  'in the middle of the request': (exchange) => {
    exchange.request.once('data', () => exchange.cut())
  },
  'after the request': async (exchange) => {
    await exchange.arrivals()
    exchange.cut()
  },
  'after the head of the answer': async (exchange) => {
    await exchange.arrivals()
    exchange.response.writeHead(200, { 'content-length': 1000 })
    exchange.response.flushHeaders()
    exchange.response.write('{"errors":false,"items":[', () => exchange.cut())
  },
}

/** Answers that take longer than anybody waits. */
export const SLOW: Readonly<Record<string, Move>> = {
  'a byte a second, of what it has stored': async (exchange) => {
    const answer = answerOf((await exchange.arrivals()).map((arrival) => exchange.store(arrival)))
    exchange.response.writeHead(200, { 'content-length': answer.length })
    let at = 0
    const drip = setInterval(() => exchange.response.write(answer[at++]), 1000)
    exchange.socket.once('close', () => clearInterval(drip))
  },
  'no answer at all': async (exchange) => {
    await exchange.arrivals()
  },
  'a request it does not read': (exchange) => {
    exchange.request.pause()
  },
}

/** What proxies and servers say when something is in their way. */
export const ODD: Readonly<Record<string, Move>> = {
  '401, as with a password that is changed': refuse(401),
  '403': refuse(403),
  '404, as with a wrong path': refuse(404),
  '301 to another place': refuse(301, { location: '/elsewhere' }),
  '308 to the same place': refuse(308, { location: '/_bulk' }),
  '204': (exchange) => void exchange.request.resume().on('end', () => exchange.response.writeHead(204).end()),
  '200 in place of 100': async (exchange) => {
    exchange.response.writeContinue()
    await honest(exchange)
  },
  '103 before the answer': async (exchange) => {
    exchange.response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    await honest(exchange)
  },
  'the right answer as another type': storeAndSay((answer) => answer, { 'content-type': 'text/plain' }),
  'no HTTP': (exchange) => void exchange.socket.end('hello\r\n'),
}

/** No room, for the whole request or for its documents, with all ways to say when there will be some. */
export const throttled = (): Readonly<Record<string, Move>> => ({
  '429': refuse(429),
  '429 with Retry-After': refuse(429, { 'retry-after': '1' }),
  '503 with a date': (exchange) =>
    refuse(503, { 'retry-after': new Date(Date.now() + 1000).toUTCString() })(exchange),
  '503 with a date that is over': refuse(503, { 'retry-after': new Date(0).toUTCString() }),
  '503 with no date at all': refuse(503, { 'retry-after': 'soon' }),
  '429 for every document': refuseItems(429),
  '503 for every document': refuseItems(503),
})
