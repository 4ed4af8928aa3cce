/** What `GET /_index_template` answers, as far as it is read. */
export interface IndexTemplates {
  readonly index_templates?: readonly { readonly index_template: IndexTemplate }[]
}

interface IndexTemplate {
  readonly index_patterns: string | readonly string[]
  readonly priority?: number
  readonly data_stream?: object
}

/** The templates that have a pattern for the name. */
export function templatesFor({ index_templates = [] }: IndexTemplates, name: string): IndexTemplate[] {
  return index_templates
    .map(({ index_template }) => index_template)
    .filter(({ index_patterns }) => [index_patterns].flat().some((pattern) => matches(pattern, name)))
}

function matches(pattern: string, name: string): boolean {
  const regex = pattern.split('*').map((literal) => literal.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${regex.join('.*')}$`, 's').test(name)
}
