import { type FieldScheme, HAS, type OwnField, type Place, SLOT } from './scheme.ts'

/** Resource attributes that ECS calls something else; `''` leaves them out. From the Collector's exporter. */
const RESOURCE: Readonly<Record<string, string>> = {
  'service.instance.id': 'service.node.name',
  'deployment.environment.name': 'service.environment',
  'deployment.environment': 'service.environment',
  'telemetry.sdk.name': '',
  'telemetry.sdk.language': 'service.language.name',
  'telemetry.sdk.version': 'service.language.version',
  'telemetry.distro.name': '',
  'telemetry.distro.version': '',
  'cloud.platform': 'cloud.service.name',
  'container.image.tags': 'container.image.tag',
  'host.arch': 'host.architecture',
  'process.parent_pid': 'process.parent.pid',
  'process.executable.name': 'process.title',
  'process.executable.path': 'process.executable',
  'process.command_line': 'process.args',
  'process.runtime.name': 'service.runtime.name',
  'process.runtime.version': 'service.runtime.version',
  'os.name': 'host.os.name',
  'os.type': 'host.os.platform',
  'os.description': 'host.os.full',
  'os.version': 'host.os.version',
  'client.address': 'client.ip',
  'source.address': 'source.ip',
  'k8s.deployment.name': 'kubernetes.deployment.name',
  'k8s.namespace.name': 'kubernetes.namespace',
  'k8s.node.name': 'kubernetes.node.name',
  'k8s.pod.name': 'kubernetes.pod.name',
  'k8s.pod.uid': 'kubernetes.pod.uid',
  'k8s.job.name': 'kubernetes.job.name',
  'k8s.cronjob.name': 'kubernetes.cronjob.name',
  'k8s.statefulset.name': 'kubernetes.statefulset.name',
  'k8s.replicaset.name': 'kubernetes.replicaset.name',
  'k8s.daemonset.name': 'kubernetes.daemonset.name',
  'k8s.container.name': 'kubernetes.container.name',
  'k8s.cluster.name': 'orchestrator.cluster.name',
  'faas.instance': 'faas.id',
  'faas.trigger': 'faas.trigger.type',
}
/** The same for attributes of records. */
const RECORD: Readonly<Record<string, string>> = {
  'event.name': 'event.action',
  'exception.message': 'error.message',
  'exception.stacktrace': 'error.stacktrace',
  'exception.type': 'error.type',
  'exception.escaped': 'event.error.exception.handled',
  'http.response.body.size': 'http.response.encoded_body_size',
}
/** It keeps its name, and gives another field its value where that has none. */
const HOST_NAME = 'host.name'
const HOST_HOSTNAME = 'host.hostname'

const OWN: readonly (OwnField & { readonly has: number })[] = [
  { name: '@timestamp', slot: SLOT.time, has: 0 },
  { name: 'data_stream', slot: SLOT.dataStream, has: 0 },
  { name: 'log.level', slot: SLOT.level, has: HAS.level },
  { name: 'trace.id', slot: SLOT.traceId, has: HAS.traceId },
  { name: 'span.id', slot: SLOT.spanId, has: HAS.spanId },
  { name: 'event.severity', slot: SLOT.severityNumber, has: HAS.severityNumber },
  { name: 'event.action', slot: SLOT.eventName, has: HAS.eventName },
  { name: 'event.created', slot: SLOT.observed, has: HAS.observed },
  { name: 'message', slot: SLOT.text, has: HAS.text },
  // In this order: the message is the JSON of the other.
  { name: 'body.structured', slot: SLOT.structured, has: HAS.value | HAS.map },
  { name: 'message', slot: SLOT.json, has: HAS.value | HAS.map },
]
const FIXED: ReadonlySet<string> = new Set([
  ...OWN.map(({ name }) => name),
  ...Object.values(RESOURCE),
  ...Object.values(RECORD),
  HOST_HOSTNAME,
])

/** The Elastic Common Schema, as the Collector's exporter fills it, with bodies of every kind. */
export const ECS: FieldScheme = {
  nested: true,
  flattensBody: false,
  refuge: 'labels',
  own: (has) => OWN.filter((field) => field.has === 0 || (field.has & has) !== 0),
  isFixed: (name) => FIXED.has(name),
  places({ keys: [key, ...inner] }, layer) {
    const table = layer === 'record' ? RECORD : layer === 'resource' ? RESOURCE : {}
    const name = [key, ...inner].join('.')
    if (layer === 'resource' && key === HOST_NAME) {
      const hostname = [HOST_HOSTNAME, ...inner].join('.')
      return [
        { name, rank: 0 },
        { name: hostname, rank: 1, fallback: true },
      ]
    }
    if (!Object.hasOwn(table, key)) return [{ name, rank: 0 }]
    if (table[key] === '') return []
    return [{ name: [table[key], ...inner].join('.'), rank: rankIn(table, key) }]
  },
  scopeName: 'log.logger',
  scopeVersion: undefined,
  emptyNames: false,
}

/** Attributes that have the ECS name come first, the others as in the table. */
function rankIn(table: Readonly<Record<string, string>>, key: string): Place['rank'] {
  return 1 + Object.keys(table).indexOf(key)
}
