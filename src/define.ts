import type { Logger } from 'pino'
import type { z } from 'zod'
import type { AdminContext, BufferAdmin, LetterArchive } from './buffer/admin.ts'
import type { Authenticator, Connector, Exporter, Lifecycle, Processor, Push, Receiver } from './component.ts'
import { type DeliverySettings, type DeliveryShape, deliveryShape } from './delivery/config.ts'
import type { DestinationSetup, SetupContext } from './setup.ts'
import type { ComponentMetrics } from './telemetry/metrics.ts'

/** The state of a component as the health endpoint tells it. */
export type HealthState = 'starting' | 'ok' | 'degraded' | 'failed' | 'stopping'

/** What every component is given besides its own settings. */
export interface ComponentContext {
  /** `otlp`, or `otlp/internal` where the config names several of a type. */
  readonly id: string
  /** Already bound to the component; never log a record, a payload or a secret. */
  readonly log: Logger
  readonly metrics: ComponentMetrics
  /** Says how the component is; `detail` is shown to operators. */
  readonly health: (state: HealthState, detail?: string) => void
}

/** What components are given besides that others send requests to. */
export interface ServerContext extends ComponentContext {
  /** The extension of this id, which the definition's `authenticators` has named. */
  readonly authenticator: (id: string) => Authenticator
}

/** Where a setting names an authenticator. */
export interface AuthenticatorUse {
  /** From the component's settings on: `['protocols', 'grpc', 'auth', 'authenticator']`. */
  readonly path: readonly string[]
  readonly id: string
}

interface Definition<Kind extends string, Config extends z.ZodType> {
  readonly kind: Kind
  /** The word in the config file, the Collector's where it has one. */
  readonly type: string
  readonly summary: string
  readonly config: Config
  /** Settings that start on any machine; the conformance suite starts every component with them. */
  readonly example: z.input<Config>
  /** Why two processes cannot work with the same settings, where that is so: `its folder has one owner`. */
  readonly oneProcess?: string
  /** The authenticators that the settings name. */
  authenticators?(config: z.output<Config>): readonly AuthenticatorUse[]
}

export interface ReceiverDefinition<Config extends z.ZodType = z.ZodType>
  extends Definition<'receiver', Config> {
  create(config: z.output<Config>, context: ServerContext & { readonly push: Push }): Receiver
}

export interface ProcessorDefinition<Config extends z.ZodType = z.ZodType>
  extends Definition<'processor', Config> {
  create(config: z.output<Config>, context: ComponentContext): Processor
}

/** The settings of every exporter are its own and those of the delivery chain. */
export interface ExporterDefinition<Config extends z.ZodObject = z.ZodObject>
  extends Definition<'exporter', z.ZodObject<Config['shape'] & DeliveryShape, z.core.$strict>> {
  create(config: z.output<Config> & DeliverySettings, context: ComponentContext): Exporter
  /** Opens the dead letters that the exporter keeps at its destination; undefined where its settings have it keep none. */
  letters?(config: z.output<Config>, context: Pick<ComponentContext, 'log'>): LetterArchive | undefined
  /** Makes the destination ready for what is sent there; without it there is nothing to make ready. */
  setup?(config: z.output<Config>, context: SetupContext): DestinationSetup
}

export interface ConnectorDefinition<Config extends z.ZodType = z.ZodType>
  extends Definition<'connector', Config> {
  /** Whether others may name it as their overflow: then `create` makes a `SpillConnector`. */
  readonly isSpill?: boolean
  /** Id of the connector that keeps what this one does not take. */
  overflow?(config: z.output<Config>): string | undefined
  /** `groups`: every pipeline of the whole file that reads from the connector, run here or elsewhere. */
  create(
    config: z.output<Config>,
    context: ComponentContext & { readonly groups: readonly string[] },
  ): Connector
  /** Opens the buffer for an operator, whether or not processes work with it; without it there is nothing to administer. */
  administer?(config: z.output<Config>, context: AdminContext): Promise<BufferAdmin>
}

export interface ExtensionDefinition<Config extends z.ZodType = z.ZodType>
  extends Definition<'extension', Config> {
  /** Whether `auth` may name it: then `create` makes an `Authenticator`, in every process. */
  readonly isAuthenticator?: boolean
  create(
    config: z.output<Config>,
    context: ServerContext & {
      readonly status: () => ServiceStatus
      readonly readings: () => Promise<readonly Reading[]>
    },
  ): Lifecycle
}

export type ComponentDefinition =
  | ReceiverDefinition
  | ProcessorDefinition
  | ExporterDefinition
  | ConnectorDefinition
  | ExtensionDefinition

/** The health of the whole service: its worst component. */
export interface ServiceStatus {
  readonly state: HealthState
  readonly uptimeMs: number
  readonly components: Readonly<Record<string, ComponentStatus>>
  /** By name, where the service runs in several processes. */
  readonly processes?: Readonly<Record<string, ProcessStatus>>
}

/**
 * One value of a metric of the whole service, as Prometheus would scrape it: a histogram `seconds` is read as
 * `seconds_bucket`, `seconds_sum` and `seconds_count`.
 */
export interface Reading {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ComponentStatus {
  readonly state: HealthState
  readonly detail?: string
}

/** One of several processes, and the components in it. */
export interface ProcessStatus extends ComponentStatus {
  /** None while it waits to be started again. */
  readonly pid: number | undefined
  readonly components: Readonly<Record<string, ComponentStatus>>
}

type Declared<D extends { kind: string }> = Omit<D, 'kind'>

export function defineReceiver<C extends z.ZodType>(
  declared: Declared<ReceiverDefinition<C>>,
): ReceiverDefinition<C> {
  return { kind: 'receiver', ...declared }
}

export function defineProcessor<C extends z.ZodType>(
  declared: Declared<ProcessorDefinition<C>>,
): ProcessorDefinition<C> {
  return { kind: 'processor', ...declared }
}

/** Adds the settings of the delivery chain to the exporter's own. */
export function defineExporter<C extends z.ZodObject>(
  declared: Omit<ExporterDefinition<C>, 'kind' | 'config' | 'example'> & {
    readonly config: C
    readonly example: z.input<C>
  },
): ExporterDefinition<C> {
  const config = declared.config.safeExtend(deliveryShape)
  return { ...declared, kind: 'exporter', config } as unknown as ExporterDefinition<C>
}

export function defineConnector<C extends z.ZodType>(
  declared: Declared<ConnectorDefinition<C>>,
): ConnectorDefinition<C> {
  return { kind: 'connector', ...declared }
}

export function defineExtension<C extends z.ZodType>(
  declared: Declared<ExtensionDefinition<C>>,
): ExtensionDefinition<C> {
  return { kind: 'extension', ...declared }
}
