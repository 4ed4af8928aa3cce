import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import { type Group, IN_JSON, type Scene } from '../case.ts'

const PAGE = 'https://shop.example.com'

/** What a browser asks before it sends. */
async function preflight(harness: Harness, headers: Record<string, string>): Promise<Response> {
  return await fetch(harness.url(), {
    method: 'OPTIONS',
    headers: { origin: PAGE, 'access-control-request-method': 'POST', ...headers },
  })
}

function allowed(response: Response): Record<string, string> {
  const headers = [...response.headers].filter(([name]) => name.startsWith('access-control-'))
  return Object.fromEntries(headers.map(([name, value]) => [name.replace('access-control-', ''), value]))
}

function origins(list: readonly string[], origin: string, isAllowed: boolean): Scene {
  return {
    name: `${origin} is ${isAllowed ? 'allowed' : 'not allowed'} by ${list.map((each) => `"${each}"`).join(', ')}`,
    section: 'cors',
    over: IN_JSON,
    settings: { http: { cors: { allowed_origins: list } } },
    check: async (harness) => {
      const response = await preflight(harness, { origin })
      const told = list.includes('*')
        ? { 'allow-origin': '*', 'allow-methods': 'POST' }
        : { 'allow-origin': origin, 'allow-credentials': 'true', 'allow-methods': 'POST' }
      expect([response.status, allowed(response)]).toEqual([204, isAllowed ? told : {}])
    },
  }
}

function headersAsked(list: readonly string[], asked: string, isAllowed: boolean): Scene {
  return {
    name: `the headers ${asked} are ${isAllowed ? 'allowed' : 'not allowed'} with allowed_headers [${list.join(', ')}]`,
    section: 'cors',
    over: IN_JSON,
    settings: { http: { cors: { allowed_origins: [PAGE], allowed_headers: list } } },
    check: async (harness) => {
      const response = await preflight(harness, { 'access-control-request-headers': asked })
      expect(allowed(response)['allow-headers']).toBe(isAllowed ? asked : undefined)
      expect(allowed(response)['allow-origin']).toBe(isAllowed ? PAGE : undefined)
    },
  }
}

export const cors: Group = {
  title: 'CORS',
  cases: [
    {
      name: 'without cors a preflight is 405, and no page is allowed',
      section: 'cors',
      over: IN_JSON,
      check: async (harness) => {
        const response = await preflight(harness, {})
        expect([response.status, allowed(response)]).toEqual([405, {}])
      },
    },
    origins([PAGE], PAGE, true),
    origins([PAGE], 'https://evil.example.com', false),
    origins([PAGE], 'http://shop.example.com', false),
    origins(['https://SHOP.example.com'], PAGE, true),
    origins(['https://*.example.com'], PAGE, true),
    origins(['https://*.example.com'], 'https://example.com', false),
    origins(['https://*.example.com'], 'https://shop.example.com.evil.org', false),
    origins(['http://localhost:*'], 'http://localhost:3000', true),
    origins(['*'], PAGE, true),
    headersAsked([], 'content-type,content-encoding', true),
    headersAsked([], 'x-tenant', false),
    headersAsked(['X-Tenant'], 'content-type, x-tenant', true),
    headersAsked(['*'], 'x-anything', true),
    {
      name: 'max_age is told in seconds',
      section: 'cors',
      over: IN_JSON,
      settings: { http: { cors: { allowed_origins: [PAGE], max_age: 7200 } } },
      check: async (harness) => {
        expect(allowed(await preflight(harness, {}))['max-age']).toBe('7200')
      },
    },
    {
      name: 'another method than POST is not allowed',
      section: 'cors',
      over: IN_JSON,
      settings: { http: { cors: { allowed_origins: [PAGE] } } },
      check: async (harness) => {
        expect(allowed(await preflight(harness, { 'access-control-request-method': 'PUT' }))).toEqual({})
      },
    },
    {
      name: 'success and failure alike may be read by an allowed page, with exposed_headers',
      section: 'cors',
      over: IN_JSON,
      settings: { http: { cors: { allowed_origins: [PAGE], exposed_headers: ['Retry-After'] } } },
      check: async (harness) => {
        const told = { 'allow-origin': PAGE, 'allow-credentials': 'true', 'expose-headers': 'Retry-After' }
        for (const [body, status] of [
          ['{}', 200],
          ['[]', 400],
        ] as const) {
          const headers = { origin: PAGE, 'content-type': 'application/json' }
          const response = await fetch(harness.url(), { method: 'POST', body, headers })
          expect([response.status, allowed(response)]).toEqual([status, told])
          expect(response.headers.get('vary')).toContain('Origin')
        }
      },
    },
    {
      name: 'logs of a page that is not allowed are taken, but it may not read the answer',
      section: 'cors',
      over: IN_JSON,
      settings: { http: { cors: { allowed_origins: [PAGE] } } },
      check: async (harness) => {
        const headers = { origin: 'https://evil.example.com', 'content-type': 'application/json' }
        const response = await fetch(harness.url(), { method: 'POST', body: '{}', headers })
        expect([response.status, allowed(response)]).toEqual([200, {}])
      },
    },
    {
      name: 'OPTIONS that is no preflight is 405',
      section: 'cors',
      over: IN_JSON,
      settings: { http: { cors: { allowed_origins: [PAGE] } } },
      check: async (harness) => {
        const response = await fetch(harness.url(), { method: 'OPTIONS', headers: { origin: PAGE } })
        expect([response.status, allowed(response)['allow-origin']]).toEqual([405, PAGE])
      },
    },
  ],
}
