import { json } from './json/target.ts'
import type { FuzzTarget } from './target.ts'
import { wire } from './wire/target.ts'

export const TARGETS = { wire, json } as const satisfies Readonly<Record<string, FuzzTarget>>
export type TargetName = keyof typeof TARGETS
