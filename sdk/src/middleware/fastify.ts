import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { fastifyLogger } from './fastify/logger.ts'
import { Exchange, type Known } from './shared/exchange.ts'
import type { RequestLogOptions } from './shared/options.ts'

export { fastifyLogger }

export interface FastifyLogOptions extends RequestLogOptions<FastifyRequest> {
  /** Whether `request.log` is a child of `logger`, with the id of the request as `reqId`. Default true. */
  readonly requestLog?: boolean
}

const exchanges = new WeakMap<FastifyRequest, Exchange<FastifyRequest>>()

const plugin: FastifyPluginCallback<FastifyLogOptions> = (app, options, done) => {
  app.addHook('onRequest', (request, reply, next) => {
    const exchange = new Exchange(options, {
      request,
      raw: request.raw,
      response: reply.raw,
      known: () => knownOf(request, reply),
    })
    exchanges.set(request, exchange)
    if (options.requestLog !== false) {
      exchange.log = options.logger.child({ reqId: request.id })
      request.log = reply.log = fastifyLogger(exchange.log)
    }
    exchange.open(next)
  })
  // The body came in from the context of the connection.
  app.addHook('preValidation', (request, _reply, next) => {
    const exchange = exchanges.get(request)
    if (exchange === undefined) next()
    else exchange.within(next)
  })
  app.addHook('onError', (request, _reply, error, next) => {
    const exchange = exchanges.get(request)
    if (exchange !== undefined) exchange.error = error
    next()
  })
  app.addHook('onResponse', (request, _reply, next) => {
    const exchange = exchanges.get(request)
    if (exchange === undefined) next()
    else exchange.within(next)
  })
  done()
}

/**
 * A plugin that opens a context for each request, of its `traceparent`, and writes one access log when it ends. Register
 * it before all others.
 *
 * @example
 * ```ts
 * const logController = new LogController({ disableRequestLogging: true }) // Fastify's own two lines a request
 * const app = fastify({ loggerInstance: fastifyLogger(log), logController })
 * await app.register(fastifyLogs, { logger: log, ignore: ['/health'] })
 * ```
 */
// What fastify-plugin does: the hooks are those of the app, not of a context of its own.
const fastifyLogs: FastifyPluginCallback<FastifyLogOptions> = Object.assign(plugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@sluice/logs',
  [Symbol.for('plugin-meta')]: { name: '@sluice/logs', fastify: '>=4' },
})

export default fastifyLogs

function knownOf(request: FastifyRequest, reply: FastifyReply): Known {
  const { routeOptions, ip, hostname, protocol, originalUrl, headers } = request
  return {
    route: routeOptions?.url,
    client: ip,
    host: hostname !== undefined && headers.host?.startsWith(hostname) ? headers.host : hostname,
    scheme: protocol,
    target: originalUrl,
    length: reply.getHeader('content-length'),
  }
}
