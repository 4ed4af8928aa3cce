import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { OverflowConnector, overflowGroup } from '../buffer/overflow.ts'
import type { Connector, Lifecycle, Push, SpillConnector } from '../component.ts'
import type { Configured, DefinitionOf } from '../config/components.ts'
import type { ServiceConfig } from '../config/config.ts'
import { type PipelineConfig, selectPipelines } from '../config/pipelines.ts'
import type { Kind } from '../config/schema.ts'
import type { ServerContext } from '../define.ts'
import { type Burial, burialOf } from '../delivery/burial.ts'
import type { DeliverySettings } from '../delivery/config.ts'
import { Drain } from '../delivery/drain.ts'
import { Sender } from '../delivery/sender.ts'
import { KEY_BYTES } from '../logs/identity.ts'
import { Health } from '../telemetry/health.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { addProcessMetrics } from '../telemetry/process-metrics.ts'
import { readingsOf } from '../telemetry/readings.ts'
import { authenticatorsOf } from './authenticators.ts'
import { contextOf, known, type Surroundings } from './context.ts'
import { endpoints } from './endpoints.ts'
import { Parts } from './parts.ts'
import { fanOut, measuredStage, pushThrough, type Stage } from './stages.ts'

export interface ServiceOptions {
  /** Names of the pipelines to run; all of them when absent. */
  readonly pipelines?: readonly string[] | undefined
  /** Name of this process among several: then metrics and extensions are served by the process above them. */
  readonly process?: string
}

/**
 * The graph of a config, or of some of its pipelines. Parts start from the sinks to the sources, so that nothing
 * arrives before there is somewhere for it to go, and stop the other way round.
 */
export class Service {
  readonly health = new Health()
  readonly metrics = new Metrics()
  readonly #config: ServiceConfig
  readonly #pipelines: readonly PipelineConfig[]
  readonly #log: Logger
  readonly #parts: Parts
  readonly #surroundings: Surroundings
  readonly #senders = new Map<string, Sender>()
  readonly #burials = new Map<string, Burial>()
  readonly #connectors = new Map<string, Connector>()
  /** Ids of records that no buffer has named, in pipelines without one. */
  readonly #key = randomBytes(KEY_BYTES)

  constructor(config: ServiceConfig, log: Logger, { pipelines, process }: ServiceOptions = {}) {
    this.#config = config
    this.#log = log
    this.#pipelines = selectPipelines(config, pipelines)
    this.#parts = new Parts(log)
    const { metrics, health } = this
    const { authenticators, parts } = authenticatorsOf(config, { log, metrics, health })
    this.#surroundings = { log, metrics, health, authenticators }
    this.#parts.add(...parts)
    addProcessMetrics(this.metrics, process)
    if (process === undefined) {
      const told = {
        status: () => this.health.status(),
        metricsText: () => this.metrics.registry.metrics(),
        readings: async () => readingsOf(await this.metrics.snapshot('work')),
      }
      this.#parts.add(...endpoints(config, this.#surroundings, told))
    }
    this.#build()
  }

  /** Starts everything. When a part cannot start, stops those that did and rejects. */
  async start(): Promise<void> {
    try {
      await this.#parts.start()
    } catch (error) {
      await this.stop(AbortSignal.timeout(this.#config.shutdownTimeoutMs))
      throw error
    }
    this.health.own = 'ok'
  }

  /** Stops what was started, sources first. What is not delivered by the deadline stays in its buffer. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.health.own = 'stopping'
    await this.#parts.stop(deadline)
  }

  #build(): void {
    const { receivers, processors, exporters, connectors } = this.#config
    const used = (of: 'receivers' | 'exporters') =>
      new Set(this.#pipelines.flatMap((pipeline) => pipeline[of]))
    for (const id of used('exporters')) if (exporters.has(id)) this.#buildExporter(known(exporters, id))
    for (const id of new Set([...used('exporters'), ...used('receivers')])) {
      const connector = connectors.get(id)
      if (connector) this.#buildConnector(connector)
    }

    const entries = new Map<string, Push[]>()
    for (const pipeline of this.#pipelines) {
      const stages = pipeline.processors.map((id) => this.#buildStage(known(processors, id), pipeline.name))
      for (const source of pipeline.receivers) {
        const connector = this.#connectors.get(source)
        if (connector) this.#buildDrain(pipeline, connector, stages)
        else entries.set(source, [...(entries.get(source) ?? []), pushThrough(stages, this.#sinks(pipeline))])
      }
    }
    for (const [id, pushes] of entries) {
      const { definition, config } = known(receivers, id)
      this.#add(id, definition.create(config, { ...this.#context('receiver', id), push: fanOut(pushes) }))
    }
  }

  #buildExporter({ id, definition, config }: Configured<DefinitionOf<'exporter'>>): void {
    const context = this.#context('exporter', id)
    const settings = config as typeof config & DeliverySettings
    const exporter = definition.create(settings, context)
    this.#senders.set(id, new Sender(exporter, settings, context.log, context.metrics))
    this.#burials.set(id, burialOf(exporter, settings, context.metrics))
    this.#add(id, exporter)
  }

  #buildConnector(configured: Configured<DefinitionOf<'connector'>>): void {
    const { id } = configured
    const primary = this.#createConnector(configured, this.#config.groups(id))
    const connector = this.#withOverflow(id, primary)
    this.#connectors.set(id, connector)
    this.#add(id, connector)
  }

  /** A process that only reads from a connector leaves its overflow to those that fill it. */
  #withOverflow(id: string, primary: Connector): Connector {
    const overflow = this.#config.overflows.get(id)
    if (overflow === undefined || !this.#pipelines.some(({ exporters }) => exporters.includes(id)))
      return primary
    const group = overflowGroup(id)
    const spill = this.#createConnector(known(this.#config.connectors, overflow), [group]) as SpillConnector
    return new OverflowConnector({ primary, spill, group, context: this.#context('connector', id) })
  }

  #createConnector(
    { id, definition, config }: Configured<DefinitionOf<'connector'>>,
    groups: readonly string[],
  ): Connector {
    return definition.create(config, { ...this.#context('connector', id), groups })
  }

  #buildStage({ id, definition, config }: Configured<DefinitionOf<'processor'>>, pipeline: string): Stage {
    const processor = definition.create(config, this.#context('processor', id))
    this.#add(id, processor)
    return measuredStage(id, pipeline, processor, this.metrics)
  }

  /** Where a pipeline fed by a receiver ends: its client holds the batch until these resolve. */
  #sinks(pipeline: PipelineConfig): Push[] {
    return pipeline.exporters.map((id) => {
      const connector = this.#connectors.get(id)
      if (connector) return connector.push
      const sender = known(this.#senders, id)
      return async (batch, signal) => {
        batch.identify(this.#key)
        await sender.sendOnce(batch, signal)
      }
    })
  }

  /** A pipeline fed by a connector: the buffer holds the batch until everything in it is settled. */
  #buildDrain(pipeline: PipelineConfig, connector: Connector, stages: readonly Stage[]): void {
    const sinks = pipeline.exporters.map((id): Push => {
      const next = this.#connectors.get(id)
      if (next) return next.push
      const sender = known(this.#senders, id)
      const bury = known(this.#burials, id)(connector, pipeline.name)
      return (batch, signal) => sender.send(batch, bury, signal)
    })
    const settings = pipeline.exporters
      .map((id) => this.#senders.get(id)?.settings)
      .find((found) => found !== undefined)
    const drain = new Drain({
      connector,
      group: pipeline.name,
      concurrency: settings?.sending_queue.num_consumers ?? 4,
      gather: settings?.sending_queue.batch ?? { flush_timeout: 20, max_size: 2 * 1024 * 1024 },
      deliver: pushThrough(stages, sinks),
      log: this.#log.child({ pipeline: pipeline.name }),
    })
    this.#add(pipeline.name, { start: async () => drain.start(), stop: (deadline) => drain.stop(deadline) })
  }

  #context(kind: Kind, id: string): ServerContext {
    return contextOf(this.#surroundings, kind, id)
  }

  #add(id: string, lifecycle: Lifecycle): void {
    this.#parts.add({ id, lifecycle })
  }
}
