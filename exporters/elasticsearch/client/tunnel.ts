import { type ClientRequest, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { TlsOptions } from '../../../src/config/tls.ts'

/** Of a proxy that wants a name and a password. */
export function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }
}

/**
 * Asks a proxy to connect to `target`, a host and a port, and returns the connection (RFC 9110 section 9.3.6).
 * Throws after `timeout` milliseconds, and when the proxy refuses.
 */
export async function openTunnel(
  proxy: URL,
  target: string,
  tls: TlsOptions,
  timeout: number,
): Promise<Socket> {
  const isSecure = proxy.protocol === 'https:'
  const hostname = proxy.hostname.replace(/^\[|\]$/g, '')
  const options = {
    method: 'CONNECT',
    host: hostname,
    port: proxy.port || (isSecure ? 443 : 80),
    path: target,
    headers: { host: target, ...proxyAuthorization(proxy) },
    agent: false,
    timeout,
  }
  // The override is for the certificate of the target.
  const servername = isIP(hostname) === 0 ? hostname : ''
  const request = isSecure ? secureRequest({ ...options, ...tls, servername }) : plainRequest(options)
  return established(request, `the proxy ${proxy.host}`, timeout)
}

function established(request: ClientRequest, proxy: string, timeout: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout} ms`)), timeout)
  request.once('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) {
      socket.setTimeout(0)
      resolve(socket)
      return
    }
    socket.destroy()
    reject(new Error(`${proxy} answered ${statusCode} to CONNECT`))
  })
  // It took the method for an ordinary one.
  request.once('response', ({ statusCode }) => {
    request.destroy()
    reject(new Error(`${proxy} answered ${statusCode} to CONNECT`))
  })
  request.on('error', (cause) => reject(new Error(`${proxy}: ${cause.message}`, { cause })))
  request.end()
  return promise.finally(() => clearTimeout(timer))
}
