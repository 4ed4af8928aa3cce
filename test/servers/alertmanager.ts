import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canInstall, installPackages } from './apt.ts'
import { temporaryFolder } from './at-exit.ts'
import { freePort } from './ports.ts'
import { Child, which } from './process.ts'

const PROGRAM = 'prometheus-alertmanager'
const BOOT_TIMEOUT = 60_000
const STOP_GRACE = 5_000
/** Keeps what it is told, and tells nobody. */
const CONFIG = 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n'

/** An alert as Alertmanager has it. */
export interface KnownAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
}

/** A real Alertmanager on 127.0.0.1, alone and empty. */
export interface AlertmanagerServer extends AsyncDisposable {
  readonly url: string
  /** The alerts that fire. */
  alerts(): Promise<KnownAlert[]>
}

export async function startAlertmanager(): Promise<AlertmanagerServer> {
  const program = await alertmanagerProgram()
  const folder = await temporaryFolder('alertmanager')
  const config = join(folder.path, 'alertmanager.yml')
  await writeFile(config, CONFIG)
  const address = `127.0.0.1:${await freePort()}`
  const child = new Child(program, [
    `--config.file=${config}`,
    `--storage.path=${folder.path}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ])
  const stop = async () => {
    await child.stop(STOP_GRACE)
    await folder.remove()
  }
  try {
    await child.line(new RegExp(`Listening on.* address=${address}`), BOOT_TIMEOUT)
  } catch (error) {
    await stop()
    throw error
  }
  const url = `http://${address}`
  return {
    url,
    async alerts() {
      const response = await fetch(`${url}/api/v2/alerts?active=true`)
      return (await response.json()) as KnownAlert[]
    },
    [Symbol.asyncDispose]: stop,
  }
}

async function alertmanagerProgram(): Promise<string> {
  const missing = () => which(PROGRAM) === undefined
  if (missing() && canInstall()) await installPackages([PROGRAM], () => !missing())
  const program = which(PROGRAM) ?? which('alertmanager')
  if (program) return program
  throw new Error(`Alertmanager is needed: install it (\`apt-get install ${PROGRAM}\`)`)
}
