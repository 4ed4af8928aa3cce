import { expect, it } from 'vitest'
import { config } from '../../../../exporters/elasticsearch/config.ts'
import { setUpKibana } from '../../../../exporters/elasticsearch/setup/kibana.ts'
import { SetupError } from '../../../../src/setup.ts'
import { never } from '../../../support/component.ts'

const settings = config.parse({ endpoint: 'http://127.0.0.1:1', api_key: 'secret' })
const target = { url: 'http://127.0.0.1:1/kb', space: 'ops', modes: ['otel'], dryRun: true } as const

it('says what would be brought into a space of Kibana, and asks nobody', async () => {
  const [request, ...objects] = await setUpKibana(settings, target, never)

  expect(request).toMatch(/^POST http:\/\/127\.0\.0\.1:1\/kb\/s\/ops\/api\/saved_objects\/_import\b/)
  expect(objects).toContainEqual(expect.stringMatching(/^ {2}planned dashboard Sluice: /))
  expect(objects.filter((line) => line.includes('(ecs)'))).toEqual([])
})

it('says that Kibana does not answer, without a secret', async () => {
  const failure = await setUpKibana(settings, { ...target, dryRun: false }, never).catch(
    (error: unknown) => error,
  )

  expect(failure).toBeInstanceOf(SetupError)
  expect(String(failure)).toContain('127.0.0.1:1')
  expect(String(failure)).not.toContain('secret')
})
