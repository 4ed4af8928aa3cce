/** Standard Schema, version 1, as far as it is used here: https://standardschema.dev. Zod, Valibot and ArkType have it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What validation of an event found. */
export interface Validated {
  /** What the schema made of the fields; the fields as they were where they do not fit. */
  readonly fields: unknown
  /** Where the fields do not fit: paths only, since a message may quote a value. */
  readonly invalid: readonly string[] | undefined
}

/** Validates the fields of an event. A schema that answers later cannot be waited for: the fields stay as they are. */
export function validate(schema: StandardSchema, fields: unknown): Validated | 'later' {
  const result = schema['~standard'].validate(fields)
  if (result instanceof Promise) {
    result.catch(() => {})
    return 'later'
  }
  if (result.issues === undefined) return { fields: result.value, invalid: undefined }
  return { fields, invalid: result.issues.map(({ path }) => pathText(path ?? [])) }
}

function pathText(path: NonNullable<SchemaIssue['path']>): string {
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
}
