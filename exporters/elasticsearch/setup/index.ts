import {
  type DestinationSetup,
  type SetupContext,
  SetupError,
  type SetupPlan,
  type SetupStep,
} from '../../../src/setup.ts'
import { defaultMode, type ElasticsearchConfig } from '../config.ts'
import { type Asset, pathOf } from './asset.ts'
import { assetsFor } from './assets.ts'
import { differences } from './diff.ts'
import { foreignness, leftovers, readExisting } from './existing.ts'
import { fallbacks } from './field-types.ts'
import { setUpKibana } from './kibana.ts'
import type { Mode } from './names.ts'
import { Requests, refusal } from './request.ts'
import { assumedServer, inspectServer, type Server } from './server.ts'

/** How the server of an exporter is made ready. Throws `SetupError` where its settings leave nothing to set up. */
export function setupOf(config: ElasticsearchConfig, context: SetupContext): DestinationSetup {
  const { assume, signal } = context
  const options = {
    setup: config.setup,
    modes: modesOf(config),
    index: config.logs_index,
    deadLetters: config.dead_letters?.data_stream,
  }
  const requests = new Requests(config, context)

  async function plan(): Promise<SetupPlan> {
    const server = assume === undefined ? await inspectServer(requests) : assumedServer(assume)
    const { assets, notes } = assetsFor(server, options)
    const steps = await Promise.all(assets.map((asset) => stepFor(asset, assume === undefined)))
    const old = assume === undefined ? await leftovers(requests, config.setup.prefix, assets) : []
    return {
      server: nameOf(server),
      steps: [...old.map(deletion), ...steps],
      notes: [...fallbacks(server.fields), ...notes],
    }
  }

  async function stepFor(asset: Asset, isAsked: boolean): Promise<SetupStep> {
    const { kind, name, body } = asset
    const existing = isAsked ? await readExisting(requests, asset) : undefined
    const changed = differences(kind, existing?.body, body)
    const foreign = existing && changed.length > 0 ? foreignness(asset, existing) : undefined
    return {
      what: `${kind} ${name}`,
      method: 'PUT',
      path: pathOf(asset) + (existing?.query ?? ''),
      body,
      state: existing === undefined ? 'missing' : changed.length > 0 ? 'different' : 'same',
      differences: changed,
      ...(foreign !== undefined && { foreign }),
    }
  }

  function nameOf({ product, version }: Server): string {
    return assume === undefined ? `${product} ${version} at ${requests.nodes}` : `the newest ${product}`
  }

  return {
    plan,
    close: () => requests.close(),
    installScreens: (screens) => setUpKibana(config, { ...screens, modes: options.modes }, signal),
    async apply({ steps }, { force = false, prune = false } = {}) {
      if (assume !== undefined) throw new SetupError('a server that is only assumed cannot be changed')
      const foreign = steps.filter((step) => step.foreign !== undefined)
      if (foreign.length > 0 && !force) {
        throw new SetupError(
          foreign.map(({ what, foreign: why }) => `${what} is left as it is: ${why}`).join('\n'),
        )
      }
      const due = steps.filter(({ state }) => isDue(state) || (prune && state === 'obsolete'))
      for (const { method, path, body } of due) {
        const answer = await requests.send(method, path, body)
        if (answer.status >= 300) throw refusal(method, path, answer)
      }
      const left = (await plan()).steps.filter(({ state }) => isDue(state))
      if (left.length > 0) {
        const fields = left.flatMap(({ what, differences: changed }) =>
          changed.map(({ path }) => `${what}: ${path}`),
        )
        throw new SetupError(`the server took everything and still has other values in ${fields.join(', ')}`)
      }
    },
  }
}

function isDue(state: SetupStep['state']): boolean {
  return state === 'missing' || state === 'different'
}

function deletion(asset: Pick<Asset, 'kind' | 'name'>): SetupStep {
  return {
    what: `${asset.kind} ${asset.name}`,
    method: 'DELETE',
    path: pathOf(asset),
    body: undefined,
    state: 'obsolete',
    differences: [],
  }
}

function modesOf(config: ElasticsearchConfig): readonly Mode[] {
  const { setup, logstash_format } = config
  if (logstash_format.enabled) {
    throw new SetupError(
      'logstash_format makes indices by date, and the setup makes data streams: use one of them',
    )
  }
  const mode = defaultMode(config)
  const modes = setup.modes ?? [mode].filter((each) => each === 'otel' || each === 'ecs')
  if (modes.length === 0) {
    throw new SetupError(`there are no templates for mapping.mode ${mode}: name others in setup.modes`)
  }
  if (config.logs_index !== undefined && modes.length > 1) {
    throw new SetupError(
      'logs_index sends everything to one data stream, and it can have one of setup.modes only',
    )
  }
  return [...new Set(modes)]
}
