import { onTestFinished } from 'vitest'
import type { z } from 'zod'
import type { Authenticator } from '../../../src/component.ts'
import type { ExtensionDefinition } from '../../../src/define.ts'
import { temporaryFolder } from '../../servers/at-exit.ts'
import { never, type TestContext, testContext } from '../../support/component.ts'

/** An authenticator that runs until the test ends. */
export async function start<C extends z.ZodType>(
  definition: ExtensionDefinition<C>,
  settings: unknown,
): Promise<{ readonly authenticator: Authenticator; readonly context: TestContext }> {
  const context = testContext()
  const told = {
    status: () => ({ state: 'ok' as const, uptimeMs: 0, components: {} }),
    readings: async () => [],
  }
  const authenticator = definition.create(definition.config.parse(settings), {
    ...context,
    ...told,
  }) as Authenticator
  onTestFinished(async () => authenticator.stop?.(never))
  await authenticator.start?.()
  return { authenticator, context }
}

/** What an authenticator says to an Authorization header; the sentence of the error where it refuses. */
export async function answerTo(authenticator: Authenticator, authorization?: string): Promise<unknown> {
  try {
    return await authenticator.authenticate(authorization === undefined ? {} : { authorization })
  } catch (error) {
    return (error as Error).message
  }
}

/** A folder that is there until the test ends. */
export async function folderUntilEnd(name: string): Promise<{ readonly path: string }> {
  const folder = await temporaryFolder(name)
  onTestFinished(() => folder.remove())
  return folder
}
