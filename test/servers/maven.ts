import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Java } from './java.ts'
import { run } from './process.ts'

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const COPY = `${PLUGIN}:copy`
const COPY_DEPENDENCIES = `${PLUGIN}:copy-dependencies`
/** Where Debian keeps the authorities that its administrator added, such as a company proxy's. */
const LOCAL_AUTHORITIES = '/usr/local/share/ca-certificates'
const PASSWORD = 'changeit'

/** Copies `group:name:version` as a zip into a folder; Maven knows the mirrors and proxies of this machine. */
export async function copyFromMaven(artifact: string, folder: string, java: Java): Promise<string> {
  await maven(['-U', COPY, `-Dartifact=${artifact}:zip`, `-DoutputDirectory=${folder}`], folder, java)
  const [, name, version] = artifact.split(':')
  return join(folder, `${name}-${version}.zip`)
}

/** Copies the jars that a pom.xml asks for, and those they need, into a folder. */
export async function copyDependencies(pom: string, folder: string, java: Java): Promise<void> {
  await maven(['-f', pom, COPY_DEPENDENCIES, `-DoutputDirectory=${folder}`], folder, java)
}

async function maven(args: readonly string[], folder: string, java: Java): Promise<void> {
  const start = (options = '') =>
    run('mvn', ['-B', '-q', '-Dstyle.color=never', ...args], {
      cwd: folder,
      env: { ...process.env, MAVEN_OPTS: `${process.env.MAVEN_OPTS ?? ''} ${options}` },
    })
  await start().catch(async (error: Error) => {
    const authorities = await localAuthorities()
    if (!error.message.includes('PKIX') || authorities.length === 0) throw error
    await start(await trust(authorities, folder, java))
  })
}

async function localAuthorities(): Promise<string[]> {
  const names = await readdir(LOCAL_AUTHORITIES).catch(() => [])
  return names.filter((name) => name.endsWith('.crt'))
}

/** Java keeps its own list of authorities, and a Java installed after them may not know the local ones. */
async function trust(authorities: readonly string[], folder: string, java: Java): Promise<string> {
  const store = join(folder, 'trusted')
  await copyFile(join(java.home, 'lib/security/cacerts'), store)
  for (const name of authorities) {
    const entry = ['-alias', `sluice-${name}`, '-file', join(LOCAL_AUTHORITIES, name)]
    const target = ['-keystore', store, '-storepass', PASSWORD]
    await run(join(java.home, 'bin/keytool'), ['-importcert', '-noprompt', ...entry, ...target])
  }
  return `-Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStorePassword=${PASSWORD}`
}
