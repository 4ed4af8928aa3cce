import { type FastifyInstance, fastify, LogController } from 'fastify'
import fastifyLogs, { fastifyLogger } from '../../src/middleware/fastify.ts'
import type { ShopLogger } from './log.ts'

/** Takes payments: `POST /payments` with `orderId`, `cents` and `card`. A card that ends in 0 has no money. */
export async function payments(log: ShopLogger): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: fastifyLogger(log),
    logController: new LogController({ disableRequestLogging: true }),
  })
  await app.register(fastifyLogs, { logger: log })

  app.post<{ Body: Payment }>('/payments', async ({ body }, reply) => {
    log.debug(body, 'charging the card')
    try {
      charge(body)
    } catch (cause) {
      log.error(new Error(`payment of order ${body.orderId} refused`, { cause }))
      return reply.code(402).send({ refused: true })
    }
    return { paid: body.cents }
  })
  return app
}

interface Payment {
  readonly orderId: string
  readonly cents: number
  readonly card: string
}

function charge({ card }: Payment): void {
  if (card.endsWith('0')) throw new RangeError('the account is empty')
}
