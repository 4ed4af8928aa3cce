import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { executable, which } from './process.ts'
import { isRoot, reachableByAll } from './users.ts'

export interface Java {
  readonly home: string
  readonly major: number
}

/** The oldest Java on this machine that is new enough: the closest to what the server was made for. */
export function findJava(minimum: number): Java | undefined {
  return candidates()
    .map(identify)
    .filter((java) => java !== undefined)
    .filter(({ home, major }) => major >= minimum && (!isRoot() || reachableByAll(home)))
    .sort((a, b) => a.major - b.major)
    .at(0)
}

/** The oldest Java of them that can compile. */
export function findJdk(minimum: number): Java | undefined {
  return candidates()
    .map(identify)
    .filter((java) => java !== undefined)
    .filter(({ home, major }) => major >= minimum && executable(join(home, 'bin/javac')))
    .sort((a, b) => a.major - b.major)
    .at(0)
}

function candidates(): string[] {
  const onPath = which('java')
  return [
    ...[process.env.ES_JAVA_HOME, process.env.JAVA_HOME].filter((home) => home !== undefined),
    ...(onPath ? [dirname(dirname(realpathSync(onPath)))] : []),
    ...['/usr/lib/jvm', '/usr/java', '/opt/java', join(homedir(), '.sdkman/candidates/java')].flatMap(
      folders,
    ),
    ...folders('/Library/Java/JavaVirtualMachines').map((folder) => join(folder, 'Contents/Home')),
  ]
}

function folders(parent: string): string[] {
  try {
    return readdirSync(parent).map((name) => join(parent, name))
  } catch {
    return []
  }
}

function identify(home: string): Java | undefined {
  if (!executable(join(home, 'bin/java'))) return undefined
  try {
    const release = readFileSync(join(home, 'release'), 'utf8')
    const major = /^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(release)?.[1]
    return major === undefined ? undefined : { home: realpathSync(home), major: Number(major) }
  } catch {
    return undefined
  }
}
