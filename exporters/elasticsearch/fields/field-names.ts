type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * The names of the fields that a document, a line of a bulk body, has: dots between their parts. What stands at a name in
 * `opaque` is one field, whatever is in it; null and empty objects are none.
 */
export function fieldNames(document: Buffer, opaque: ReadonlySet<string>): string[] {
  const names: string[] = []
  const visit = (value: Json, name: string): void => {
    if (value === null) return
    if (typeof value !== 'object' || (opaque.has(name) && !isEmpty(value))) {
      names.push(name)
    } else if (Array.isArray(value)) {
      // Elasticsearch takes the objects of a list for parts of one.
      for (const item of value as readonly Json[]) visit(item, name)
    } else {
      for (const [key, inner] of Object.entries(value)) visit(inner, name === '' ? key : `${name}.${key}`)
    }
  }
  visit(JSON.parse(document.toString()) as Json, '')
  return names
}

const isEmpty = (value: object): boolean => !Array.isArray(value) && Object.keys(value).length === 0
