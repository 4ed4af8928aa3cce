import { readSettingFile } from '../../../src/config/tls.ts'

/** Who asks. A key goes before a token, a token before a user, a user before what the URL holds. */
export interface CredentialSettings {
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly password_file?: string | undefined
  readonly api_key?: string | undefined
  readonly api_key_file?: string | undefined
  readonly bearer_token?: string | undefined
  readonly bearer_token_file?: string | undefined
}

interface Secrets {
  readonly apiKey: string | undefined
  readonly bearer: string | undefined
  readonly password: string | undefined
}

/** The `Authorization` of requests. Files are read once, and again when a server refuses what they held. */
export class Credentials {
  readonly #settings: CredentialSettings
  #secrets: Promise<Secrets> | undefined

  constructor(settings: CredentialSettings) {
    this.#settings = settings
  }

  /** Throws when a file cannot be read. */
  async headerFor(node: URL): Promise<string | undefined> {
    this.#secrets ??= this.#read()
    const { apiKey, bearer, password } = await this.#secrets.catch((error: unknown) => {
      this.#secrets = undefined
      throw error
    })
    if (apiKey !== undefined) return `ApiKey ${encoded(apiKey)}`
    if (bearer !== undefined) return `Bearer ${bearer}`
    const name = this.#settings.user ?? decodeURIComponent(node.username)
    if (name === '') return undefined
    return `Basic ${base64(`${name}:${password ?? decodeURIComponent(node.password)}`)}`
  }

  /** Whether the files hold something else by now than what was refused. */
  async renew(node: URL, refused: string | undefined): Promise<boolean> {
    const { api_key_file, bearer_token_file, password_file } = this.#settings
    if ((api_key_file ?? bearer_token_file ?? password_file) === undefined) return false
    this.#secrets = undefined
    return (await this.headerFor(node)) !== refused
  }

  async #read(): Promise<Secrets> {
    const { api_key, api_key_file, bearer_token, bearer_token_file, password, password_file } = this.#settings
    return {
      apiKey: api_key ?? (await secretIn('api_key_file', api_key_file)),
      bearer: bearer_token ?? (await secretIn('bearer_token_file', bearer_token_file)),
      password: password ?? (await secretIn('password_file', password_file)),
    }
  }
}

async function secretIn(setting: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  const secret = (await readSettingFile(setting, path)).trim()
  if (/[^\x20-\x7e]/.test(secret))
    throw new Error(`${setting}: ${path} holds more than one line of plain text`)
  return secret
}

/** Elasticsearch gives keys encoded, and as `id` and `api_key`, which are joined by a colon. */
function encoded(key: string): string {
  return key.includes(':') ? base64(key) : key
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
