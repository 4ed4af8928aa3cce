/** Elasticsearch allows 100 bytes for each part of a data stream's name; a suffix counts. */
const MAX_PART = 100
const MAX_INDEX = 200
const NOT_IN_NAMES = /[\\/*?"<>| ,#:\p{Cc}]/gu

/** A dataset or namespace, as the Collector's exporter writes it: lower case, what may not be in it replaced, cut to size. */
export function dataStreamPart(name: string, suffix = ''): string {
  return cut(cleaned(name), MAX_PART - suffix.length) + suffix
}

/** A dataset; its name has no dashes, for they part it from the namespace. */
export function datasetPart(name: string, suffix = ''): string {
  return dataStreamPart(name.slice(0, MAX_INDEX).replaceAll('-', '_'), suffix)
}

/** An index that an attribute names: also without what names of indices may not begin with, so that no hidden one is reached. */
export function indexName(name: string): string {
  const cleaned = name
    .toLowerCase()
    .replace(NOT_IN_NAMES, '_')
    .replace(/^[-_+.]+/, '')
  return cut(cleaned, MAX_INDEX) || 'unknown'
}

/** Whether text from the config can stand in the name of an index. */
export function isIndexText(text: string): boolean {
  return text === text.toLowerCase() && text.search(NOT_IN_NAMES) === -1
}

/** Attributes may be megabytes long, and nothing looks further than a name may reach. */
function cleaned(name: string): string {
  return name.slice(0, MAX_INDEX).toLowerCase().replace(NOT_IN_NAMES, '_')
}

function cut(name: string, maxBytes: number): string {
  let short = name
  while (Buffer.byteLength(short) > maxBytes) short = short.slice(0, -1)
  return short.isWellFormed() ? short : short.slice(0, -1)
}
