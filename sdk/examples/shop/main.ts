/**
 * A shop of two services: orders calls payments over HTTP, and hands its trace on.
 *
 * ```sh
 * node sdk/examples/shop/main.ts
 * curl -H 'content-type: application/json' -d '{"cents":1250,"card":"4111"}' http://127.0.0.1:8080/orders
 * ```
 */
import { shopLogger } from './log.ts'
import { orders } from './orders.ts'
import { payments } from './payments.ts'

const host = '127.0.0.1'
const paymentsLog = shopLogger('payments')
const ordersLog = shopLogger('orders')
const paymentsApp = await payments(paymentsLog)
const ordersApp = await orders(
  ordersLog,
  await paymentsApp.listen({ host, port: Number(process.env.PAYMENTS_PORT ?? 8081) }),
)
const url = await ordersApp.listen({ host, port: Number(process.env.ORDERS_PORT ?? 8080) })
console.log(`the shop takes orders at ${url}/orders`)

process.once('SIGTERM', () => void stop())

async function stop(): Promise<void> {
  await Promise.all([ordersApp.close(), paymentsApp.close()])
  await Promise.all([ordersLog.shutdown(), paymentsLog.shutdown()])
}
