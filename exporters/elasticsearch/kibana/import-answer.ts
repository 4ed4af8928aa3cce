import type { ImportAnswer, ImportError } from './install.ts'

/** Where the objects were to go. */
export interface Where {
  /** Of Kibana, without credentials. */
  readonly host: string
  readonly space: string | undefined
}

/** What an answer that is no 200 means, and what to do. */
export function refusal(status: number, answer: ImportAnswer | undefined, { host, space }: Where): string {
  const said = typeof answer?.message === 'string' ? ` (${answer.message})` : ''
  const what = `${host} answered ${status}`
  if (status >= 300 && status < 400) {
    return `${what}, a redirect: give the URL that it ends at, with https: and server.basePath where Kibana has them`
  }
  switch (status) {
    case 401:
      return `${what}: it does not know this API key or user; give one of Elasticsearch that may log in to Kibana`
    case 403:
      return `${what}${said}: this API key or user may not write saved objects${space ? ` in the space ${space}` : ''}; it needs the Kibana privilege "Saved Objects Management: All" there`
    case 404:
      return space
        ? `${what}: there is no space ${space}, or no Kibana at this path; create the space first, and mind server.basePath`
        : `${what}: there is no Kibana at this path; mind server.basePath`
    case 409:
      return `${what}${said}: somebody else is changing the same objects; try again`
    case 413:
      return `${what}: raise savedObjects.maxImportPayloadBytes of Kibana, or the limit of the proxy before it`
    case 502:
    case 503:
    case 504:
      return `${what}: Kibana is not ready; try again when its page opens`
  }
  if (answer !== undefined && 'error' in answer && typeof answer.error === 'string' && said === '') {
    return `${what}: this is how Elasticsearch answers; give the URL of Kibana, usually port 5601`
  }
  return `${what}${said}: expected Kibana 8.9 or newer there`
}

/** What is wrong with the answer to an import, or undefined when all objects are in. */
export function importProblem(
  answer: ImportAnswer | undefined,
  asked: number,
  { host, space }: Where,
): string | undefined {
  if (answer?.success === undefined) {
    return `${host} answered 200 with something that is no answer of Kibana's import: is this its URL?`
  }
  const { errors = [], successCount = 0 } = answer
  if (answer.success && errors.length === 0 && successCount >= asked) return undefined
  const place = space === undefined ? host : `${host}, space ${space}`
  const lines = errors.map((error) => `\n  ${error.type} ${error.id}: ${explained(error)}`)
  return `${successCount} of ${asked} saved objects were imported into ${place}${lines.join('')}`
}

function explained({ error }: ImportError): string {
  switch (error.type) {
    case 'conflict':
    case 'ambiguous_conflict':
      return 'is there already; import with overwrite to replace it'
    case 'missing_references': {
      const missing = error.references?.map(({ type, id }) => `${type} ${id}`) ?? ['another object']
      return `needs ${missing.join(', ')}, which is not there; import the whole file`
    }
    case 'unsupported_type':
      return 'this Kibana does not know its type; expected Kibana 8.9 or newer'
    default:
      return error.message ?? error.type
  }
}
