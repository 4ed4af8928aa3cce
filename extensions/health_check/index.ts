import { z } from 'zod'
import { Auth } from '../../src/config/auth.ts'
import { endpoint } from '../../src/config/fields.ts'
import { serverTls } from '../../src/config/server-tls.ts'
import { defineExtension } from '../../src/define.ts'
import { type AdminServer, serve } from '../../src/telemetry/http.ts'

const UNWELL = new Set(['starting', 'stopping', 'failed'])

/** Answers load balancers and orchestrators: 200 while logs are taken in, 503 otherwise, with every component's state. */
export const healthCheck = defineExtension({
  type: 'health_check',
  summary: 'Answers 200 while the service is well and 503 while it is not, with the state of each component.',
  config: z.strictObject({
    endpoint: endpoint().prefault('localhost:13133').describe('Where to listen.'),
    auth: Auth.optional().describe('Who may ask; everybody who reaches the endpoint without it.'),
    tls: serverTls().optional().describe('Answers over HTTPS.'),
    path: z.string().startsWith('/').default('/').describe('The path that is answered.'),
  }),
  example: { endpoint: '127.0.0.1:0' },

  authenticators: ({ auth }) => (auth ? [{ path: ['auth', 'authenticator'], id: auth.authenticator }] : []),
  create({ path, ...settings }, context) {
    const { status, log } = context
    const { endpoint } = settings
    let server: AdminServer | undefined
    return {
      async start() {
        server = await serve(settings, 'health_check', context, (request, response) => {
          if ((request.url ?? '').split('?')[0] !== path) {
            response.writeHead(404).end()
            return
          }
          const current = status()
          response
            .writeHead(UNWELL.has(current.state) ? 503 : 200, { 'content-type': 'application/json' })
            .end(`${JSON.stringify(current)}\n`)
        })
        log.info({ address: `${endpoint.host}:${server.port}` }, 'health is served')
      },
      async stop() {
        await server?.close()
      },
    }
  },
})
