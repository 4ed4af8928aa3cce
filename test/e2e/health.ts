import type { HealthState } from '../../src/define.ts'

/** What the health endpoint says of a service of several processes. */
export interface Health {
  readonly code: number
  readonly state: HealthState
  readonly processes: Readonly<
    Record<
      string,
      {
        readonly state: HealthState
        readonly detail?: string
        readonly pid?: number
        readonly components: Readonly<Record<string, { readonly state: HealthState }>>
      }
    >
  >
}

export async function healthAt(port: number): Promise<Health> {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  return { code: response.status, ...((await response.json()) as Omit<Health, 'code'>) }
}
