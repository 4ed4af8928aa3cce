import { afterEach, describe, expect, it, vi } from 'vitest'
import { addressesOf, cloudUrl } from '../../../../exporters/elasticsearch/client/addresses.ts'
import { config } from '../../../../exporters/elasticsearch/config.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const cloud = (text: string) => `name:${btoa(text)}`
const problems = (settings: object): string[] => {
  const { error } = config.safeParse(settings)
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('a cloud id', () => {
  it.each([
    ['eu.example.com$abc$def', 'https://abc.eu.example.com'],
    ['eu.example.com$abc', 'https://abc.eu.example.com'],
    ['eu.example.com:9243$abc$def', 'https://abc.eu.example.com:9243'],
    ['eu.example.com$abc:9244$def', 'https://abc.eu.example.com:9244'],
  ])('of %s is the URL %s', (text, url) => {
    expect(cloudUrl(cloud(text))).toBe(url)
  })

  it.each([['no colon'], ['name:'], ['name:***'], [cloud('no dollar')], [cloud('$abc')]])(
    '%s is none',
    (id) => {
      expect(problems({ cloudid: id })).toEqual([expect.stringContaining('cloudid: expected a cloud id')])
    },
  )
})

describe('the nodes to begin with', () => {
  it('are those of the environment when the config names none', () => {
    vi.stubEnv('ELASTICSEARCH_URL', 'http://a:9200, https://me:secret@b')

    expect(problems({})).toEqual([])
    expect(addressesOf({}).map(({ host }) => host)).toEqual(['a:9200', 'b'])
    expect(addressesOf({ endpoint: 'http://c' }).map(({ host }) => host)).toEqual(['c'])
  })

  it('must be named, once, and as URLs', () => {
    vi.stubEnv('ELASTICSEARCH_URL', '')
    expect(problems({})).toEqual([
      expect.stringContaining('endpoint: expected endpoint, endpoints or cloudid'),
    ])
    expect(problems({ endpoint: 'http://a', cloudid: cloud('b$c') })).toEqual([
      'cloudid: cannot be set together with endpoint',
    ])
    expect(problems({ endpoints: ['a:9200'] })).toEqual([expect.stringContaining('expected a URL')])
    vi.stubEnv('ELASTICSEARCH_URL', 'a:9200')
    expect(problems({})).toEqual([expect.stringContaining('ELASTICSEARCH_URL: expected URLs')])
  })
})

describe('settings of the connection', () => {
  it.each([
    [{ password: 'a', password_file: 'b' }, 'password_file: cannot be set together with password'],
    [{ api_key: 'a', api_key_file: 'b' }, 'api_key_file: cannot be set together with api_key'],
    [{ tls: {} }, 'tls: is for https://, which no endpoint is'],
    [{ proxy_url: 'socks5://a' }, 'proxy_url: expected the URL of an HTTP proxy such as http://proxy:3128'],
    [{ headers: { a: 'c\nd: e' } }, 'headers.a: is no value of a header'],
  ])('%j are refused', (settings, problem) => {
    expect(problems({ endpoint: 'http://a', ...settings })).toEqual([problem])
  })

  it.each([
    [{ cert_file: 'a' }, 'tls.key_file: is needed with cert_file'],
    [{ key_pem: 'a' }, 'tls.cert_file: is needed with key_pem'],
    [{ ca_file: 'a', ca_pem: 'b' }, 'tls.ca_pem: cannot be set together with ca_file'],
    [{ min_version: '1.3', max_version: '1.2' }, 'tls.max_version: is below min_version'],
    [{ reload_interval: '1ms' }, 'tls.reload_interval: expected 1s or more'],
  ])('tls %j is refused', (tls, problem) => {
    expect(problems({ endpoint: 'https://a', tls })).toEqual([problem])
  })

  it('do not ask a deployment of Elastic Cloud for its nodes', () => {
    expect(problems({ cloudid: cloud('b$c'), discover: { on_start: true } })).toEqual([
      expect.stringContaining('discover: cannot be set together with cloudid'),
    ])
  })
})
