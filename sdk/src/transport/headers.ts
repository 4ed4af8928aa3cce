import type { Destination, Headers } from './destination.ts'

/**
 * The headers of one attempt.
 *
 * @throws Error where the application's function throws, or takes longer than an attempt may
 */
export async function headersOf({ headers, timeoutMillis }: Destination): Promise<Headers> {
  if (typeof headers !== 'function') return headers
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the headers took too long')), timeoutMillis).unref()
  })
  try {
    return await Promise.race([headers(), late])
  } catch (error) {
    throw new Error('the function for headers failed', { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
