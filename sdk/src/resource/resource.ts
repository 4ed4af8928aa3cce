import { randomUUID } from 'node:crypto'
import type { Limits, ResourceSettings } from '../options/settings.ts'
import type { Environment } from '../options/source.ts'
import { ELEMENT } from '../record/fields.ts'
import { ValueWriter } from '../record/value-writer.ts'
import { WireWriter } from '../record/wire-writer.ts'
import { containerId } from './container.ts'
import { type Files, systemFiles } from './files.ts'
import { host } from './host.ts'
import { kubernetes } from './kubernetes.ts'
import { processAttributes, TELEMETRY_SDK } from './process.ts'

/** A resource goes with every batch, and is made of the operator's own words. */
const LIMITS: Limits = {
  attributes: 1000,
  valueLength: 4096,
  bodyLength: 0,
  depth: 4,
  elements: 100,
  recordBytes: 64 * 1024,
}

/**
 * The attributes of the resource: what is configured, over what is detected. A part that cannot be detected is missing;
 * nothing is waited for but files of the system's own.
 */
export function resourceAttributes(
  { attributes, detect }: ResourceSettings,
  environment: Environment,
  files: Files = systemFiles,
): Record<string, unknown> {
  const detectors: (() => Record<string, unknown>)[] = [
    () => host(files),
    processAttributes,
    () => ({ 'container.id': containerId(files) }),
    () => kubernetes(environment, files),
  ]
  return {
    ...TELEMETRY_SDK,
    'service.instance.id': randomUUID(),
    ...(detect ? Object.assign({}, ...detectors.map(attempted)) : {}),
    ...attributes,
  }
}

function attempted(detector: () => Record<string, unknown>): Record<string, unknown> {
  try {
    return detector()
  } catch {
    return {}
  }
}

/** The resource as an encoded `opentelemetry.proto.resource.v1.Resource`. */
export function encodeResource(attributes: Readonly<Record<string, unknown>>): Uint8Array {
  const out = new WireWriter(1024)
  const values = new ValueWriter(out, LIMITS, undefined)
  values.begin(LIMITS.recordBytes)
  for (const [key, value] of Object.entries(attributes)) {
    if (!values.scalars.isFull) values.keyValue(ELEMENT, key, value, undefined)
  }
  return out.slice(0)
}
