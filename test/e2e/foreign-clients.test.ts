import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { readOtherwise } from '../fuzz/json/oracle.ts'
import { type RecordInContext, recordsOf } from '../oracle/oracle.ts'
import { temporaryFolder } from '../servers/at-exit.ts'
import { type ForeignSdk, javaSdk, pythonSdk } from '../servers/opentelemetry-sdks.ts'
import { run } from '../servers/process.ts'
import { sendByJavaScript } from './clients/javascript.ts'
import { linesOf } from './clients/lines.ts'
import { LONE, TELLING, type Telling, type ToldRecord } from './clients/records.ts'
import { type Attribute, attributesOf, mapped, type Value, valueOf } from './clients/values.ts'
import { type FilePath, filesIn, linesIn, startFilePath } from './file-path.ts'
import { eventually } from './sluice.ts'

const folderOf = (path: string): string => join(import.meta.dirname, 'clients', path)

/** A client, and what its SDK is known to make of what it is told. */
interface Client {
  readonly name: string
  readonly protocol: 'grpc' | 'http' | 'json'
  readonly compression: 'none' | 'gzip'
}

/** What arrived of a client: the resource and scope of its records, and the records by number. */
interface Arrived {
  readonly resource: Value
  readonly scope: object
  readonly records: readonly object[]
}

describe('records of other SDKs arrive as they were sent', () => {
  let path: FilePath
  let lines: string
  let remove: () => Promise<void>

  beforeAll(async () => {
    const folder = await temporaryFolder('clients')
    remove = () => folder.remove()
    lines = join(folder.path, 'lines')
    await writeFile(lines, linesOf(TELLING))
    path = await startFilePath('format: otlp_json, path: "{resource.client}"')
  })

  afterAll(async () => {
    await path?.[Symbol.asyncDispose]()
    await remove?.()
  })
})
