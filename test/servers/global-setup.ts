import type { TestProject } from 'vitest/node'
import { startElasticsearch } from './elasticsearch.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The one Elasticsearch that all integration suites share. Use names of your own for indices and data streams. */
    elasticsearchUrl: string
    /** Why there is no such server; empty when there is one. */
    elasticsearchProblem: string
  }
}

/** Starts what integration suites share, once for all of them. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const provide = (url: string, problem: string) => {
    project.provide('elasticsearchUrl', url)
    project.provide('elasticsearchProblem', problem)
  }
  const running = process.env.SLUICE_TEST_ELASTICSEARCH_URL
  if (running) {
    provide(running.replace(/\/+$/, ''), '')
    return undefined
  }
  try {
    const elasticsearch = await startElasticsearch()
    provide(elasticsearch.url, '')
    return () => elasticsearch.stop()
  } catch (error) {
    // An error thrown here would end the run, with the unit tests that need no server.
    provide('', error instanceof Error ? error.message : String(error))
    return undefined
  }
}
