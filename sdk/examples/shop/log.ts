import { createLogger, defineEvents, type Logger } from '../../src/index.ts'

const isText = (value: unknown): value is string => typeof value === 'string'

/** Any library that speaks Standard Schema makes schemas like this one. */
const orderPlaced = {
  '~standard': {
    version: 1,
    vendor: 'shop',
    validate(value: unknown) {
      const { orderId, cents } = value as { orderId?: unknown; cents?: unknown }
      return isText(orderId) && Number.isInteger(cents)
        ? { value: value as { orderId: string; cents: number } }
        : { issues: [{ message: 'an order has an id, and a price in whole cents' }] }
    },
  },
} as const

const events = defineEvents({ 'order.placed': orderPlaced })

export type ShopLogger = Logger<{ 'order.placed': { orderId: string; cents: number } }>

/** The logger of one service of the shop. Where it sends to is `OTEL_EXPORTER_OTLP_ENDPOINT`. */
export function shopLogger(service: string): ShopLogger {
  return createLogger({ service, namespace: 'shop', events, redact: ['card'], level: 'debug' })
}
