#!/usr/bin/env node
import { components } from '../components.ts'
import { runService } from '../service/run.ts'
import { runCli } from './program.ts'

const code = await runCli(process.argv.slice(2), {
  components,
  runService,
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
})
process.exit(code)
