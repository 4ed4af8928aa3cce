import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { proxyFor } from '../../../../exporters/elasticsearch/client/proxy.ts'

const VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']

beforeEach(() => {
  for (const name of VARIABLES) {
    vi.stubEnv(name, '')
    vi.stubEnv(name.toLowerCase(), '')
  }
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const proxyOf = (url: string, configured?: string) => proxyFor(new URL(url), configured)?.host

describe('the proxy on the way to a node', () => {
  it('is that of the config, whatever the environment says', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://other:3128')
    vi.stubEnv('NO_PROXY', '*')
    expect(proxyOf('https://127.0.0.1:9200', 'http://mine:3128')).toBe('mine:3128')
  })

  it('is that of the environment for the scheme', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://secure:3128')
    vi.stubEnv('http_proxy', 'plain:3128')
    expect(proxyOf('https://es:9200')).toBe('secure:3128')
    expect(proxyOf('http://es:9200')).toBe('plain:3128')
  })

  it.each(['https://localhost:9200', 'https://127.0.0.5:9200', 'https://[::1]:9200'])(
    'of the environment is not used to this machine: %s',
    (url) => {
      vi.stubEnv('HTTPS_PROXY', 'http://secure:3128')
      expect(proxyOf(url)).toBeUndefined()
    },
  )

  it.each([
    ['*', 'https://es.example.com', true],
    ['example.com', 'https://es.example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://badexample.com', false],
    ['.example.com', 'https://es.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['*.example.com', 'https://es.example.com', true],
    ['other.com, example.com:9200', 'https://es.example.com:9200', true],
    ['example.com:9200', 'https://es.example.com', false],
    ['10.0.0.0/8', 'https://10.1.2.3:9200', true],
    ['10.0.0.0/8', 'https://11.1.2.3:9200', false],
    ['10.1.2.3', 'https://10.1.2.3:9200', true],
    ['fd00::/8', 'https://[fd00::1]:9200', true],
    ['10.0.0.0/99', 'https://10.1.2.3:9200', false],
    ['', 'https://es.example.com', false],
  ])('NO_PROXY=%s spares %s: %s', (list, url, isSpared) => {
    vi.stubEnv('HTTPS_PROXY', 'http://secure:3128')
    vi.stubEnv('NO_PROXY', list)
    expect(proxyOf(url)).toBe(isSpared ? undefined : 'secure:3128')
  })
})
