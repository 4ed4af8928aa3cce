import type { StandardSchema } from './standard-schema.ts'

/** Names of events and the fields that each has. */
export type EventMap = Record<string, object | undefined>

/** What `defineEvents` makes: the schemas of events, and their types. */
export interface EventDefinitions<Events extends EventMap> {
  readonly schemas: ReadonlyMap<string, StandardSchema>
  /** Only a type. */
  readonly events?: Events
}

type Schemas = Record<string, StandardSchema>
type InputOf<Schema> = Schema extends StandardSchema<infer Input, unknown> ? Extract<Input, object> : object
type EventsOf<S extends Schemas> = { [Name in keyof S & string]: InputOf<S[Name]> }

/**
 * Declares the events of an application with schemas of any library that speaks Standard Schema. An event whose fields
 * do not fit is logged all the same, with the paths that do not in `event.invalid`.
 *
 * @example
 * ```ts
 * const events = defineEvents({ 'order.placed': z.object({ orderId: z.string(), total: z.number() }) })
 * const log = createLogger({ service: 'shop', events })
 * log.event('order.placed', { orderId: '7', total: 12.5 })
 * ```
 */
export function defineEvents<S extends Schemas>(schemas: S): EventDefinitions<EventsOf<S>> {
  return { schemas: new Map(Object.entries(schemas)) }
}
