/** What the reason of a refusal says, in parts. */
export interface ReasonParts {
  readonly status: number | undefined
  /** The type of the error, Elasticsearch's word. */
  readonly type: string | undefined
  readonly field: string | undefined
  readonly fieldType: string | undefined
}

const OF_DOCUMENT =
  /^(?<status>\d{3}) (?<type>[A-Za-z_]{1,80})(?: at field (?<field>.+?)(?: of type (?<fieldType>[^ ]+))?)?$/
const OF_REQUEST = /\banswered (?<status>\d{3})\b/

/** Reads the reasons that this exporter gives for refusals. */
export function readReason(reason: string): ReasonParts {
  const { status, type, field, fieldType } =
    (OF_DOCUMENT.exec(reason) ?? OF_REQUEST.exec(reason))?.groups ?? {}
  return { status: status === undefined ? undefined : Number(status), type, field, fieldType }
}

/** The reason as a label of a metric: of few values, whatever records hold. */
export function reasonLabel(reason: string): string {
  const { status, type } = readReason(reason)
  return type ?? (status === undefined ? 'no_document' : `status_${status}`)
}
