import { type Command, Option } from 'commander'
import type { ServiceConfig } from '../config/config.ts'
import { ConfigError } from '../config/errors.ts'
import { suggestion } from '../config/nearest.ts'
import type { DestinationSetup, SetupStep } from '../setup.ts'
import { createLogger } from '../telemetry/logger.ts'
import { configOption, readConfig } from './config-file.ts'
import { type CliContext, EXIT } from './context.ts'
import { showNotes, showPlan, showRequests } from './es-show.ts'

interface SetupOptions {
  readonly config?: string
  readonly exporter?: string
  readonly dryRun?: boolean
  readonly print?: boolean
  readonly assume?: string
  readonly force?: boolean
  readonly prune?: boolean
  readonly kibana?: string
  readonly space?: string
}

/** `sluice es`: the server that an exporter sends to. */
export function addEs(program: Command, context: CliContext, setResult: (code: number) => void): void {
  const es = program.command('es').description('the Elasticsearch or OpenSearch that an exporter sends to')
  es.command('setup')
    .description('create or update its templates, lifecycles, pipelines and roles')
    .addOption(configOption())
    .option('--exporter <id>', 'which exporter, where the config has several')
    .option('--dry-run', `only say what would change; ends with ${EXIT.pending} when something would`)
    .addOption(
      new Option('--print', 'only print all requests, as one JSON object').conflicts([
        'dryRun',
        'force',
        'prune',
      ]),
    )
    .addOption(
      new Option(
        '--assume <server>',
        'with --print: for the newest server of this kind, without asking one',
      ).choices(['elasticsearch', 'opensearch']),
    )
    .option('--force', 'overwrite also what Sluice did not make')
    .option('--prune', 'delete index templates of policies and modes that the config no longer has')
    .option('--kibana <url>', 'bring data views, searches and dashboards into this Kibana as well')
    .option('--space <id>', 'the space of Kibana that they go to')
    .action(async (options: SetupOptions) => setResult(await setUp(options, context)))
}

async function setUp(options: SetupOptions, context: CliContext): Promise<number> {
  if (options.assume !== undefined && !options.print) {
    throw ConfigError.about(
      '--assume',
      'goes with --print: nothing can be changed on a server that is only assumed',
    )
  }
  const setup = openSetup(options, readConfig(options.config, context), context.stderr)
  try {
    return await runSetup(setup, options, context)
  } finally {
    await setup.close()
  }
}

async function runSetup(
  setup: DestinationSetup,
  options: SetupOptions,
  context: CliContext,
): Promise<number> {
  const plan = await setup.plan()
  if (options.print) {
    context.stderr.write(showNotes(plan))
    context.stdout.write(showRequests(plan))
    return EXIT.ok
  }
  context.stdout.write(showPlan(plan))
  const due = plan.steps.filter((step) => isDue(step, options)).length
  if (due > 0 && !options.dryRun) {
    await setup.apply(plan, { force: options.force ?? false, prune: options.prune ?? false })
    context.stdout.write(`done: ${due} requests, and nothing is left to change\n`)
  }
  if (options.kibana !== undefined) {
    const { kibana: url, space, dryRun = false } = options
    const lines = await setup.installScreens({ url, space, dryRun })
    context.stdout.write(lines.map((line) => `${line}\n`).join(''))
  }
  return due > 0 && options.dryRun ? EXIT.pending : EXIT.ok
}

function isDue({ state }: SetupStep, { prune }: SetupOptions): boolean {
  return state === 'obsolete' ? prune === true : state !== 'same'
}

function openSetup(
  { exporter, assume }: SetupOptions,
  { exporters }: ServiceConfig,
  stderr: CliContext['stderr'],
): DestinationSetup {
  const able = [...exporters.values()].filter(({ definition }) => definition.setup !== undefined)
  const ids = able.map(({ id }) => id)
  const chosen = exporter === undefined ? able[0] : able.find(({ id }) => id === exporter)
  if (chosen === undefined) {
    const problem =
      exporter === undefined
        ? 'the config has no exporter that can be set up'
        : `there is no such exporter "${exporter}"`
    throw ConfigError.about('--exporter', `${problem}${suggestion(exporter ?? '', ids)}`)
  }
  if (exporter === undefined && able.length > 1) {
    throw ConfigError.about('--exporter', `say which exporter is meant: ${ids.join(', ')}`)
  }
  const { id, definition, config } = chosen
  const log = createLogger({
    level: 'warn',
    encoding: 'console',
    destination: { write: (line) => void stderr.write(line) },
  }).child({ exporter: id })
  const context = { log, signal: new AbortController().signal, ...(assume !== undefined && { assume }) }
  return (definition.setup as NonNullable<typeof definition.setup>)(config, context)
}
