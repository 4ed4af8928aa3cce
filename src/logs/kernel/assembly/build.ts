import { writeFileSync } from 'node:fs'
import { compile, moduleText } from './compile.ts'

writeFileSync(new URL('../module.ts', import.meta.url), moduleText(await compile()))
