import { type FastifyInstance, fastify, LogController } from 'fastify'
import { currentTraceparent } from '../../src/index.ts'
import fastifyLogs, { fastifyLogger } from '../../src/middleware/fastify.ts'
import type { ShopLogger } from './log.ts'

/** Takes orders: `POST /orders` with `cents` and `card`. Has them paid by the service at `paymentsUrl`. */
export async function orders(log: ShopLogger, paymentsUrl: string): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: fastifyLogger(log),
    logController: new LogController({ disableRequestLogging: true }),
  })
  await app.register(fastifyLogs, {
    logger: log,
    attributes: ({ headers }) => ({ tenant: headers['x-tenant'] }),
  })

  let count = 0
  app.post<{ Body: { cents: number; card: string } }>('/orders', async ({ body }, reply) => {
    const orderId = String(++count)
    const answer = await fetch(`${paymentsUrl}/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: currentTraceparent() ?? '' },
      body: JSON.stringify({ orderId, ...body }),
    })
    if (!answer.ok) {
      log.warn({ orderId, status: answer.status }, 'order %s is not paid', orderId)
      return reply.code(402).send({ orderId })
    }
    log.event('order.placed', { orderId, cents: body.cents }, { message: `order ${orderId} placed` })
    return reply.code(201).send({ orderId })
  })
  return app
}
