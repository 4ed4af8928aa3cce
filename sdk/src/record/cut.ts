import { TRUNCATED } from './markers.ts'

/**
 * The text in at most `limit` UTF-16 units, the marker included where there is room for one. A surrogate pair is not
 * torn apart.
 */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text
  const marker = limit > TRUNCATED.length ? TRUNCATED : ''
  let end = limit - marker.length
  const last = text.charCodeAt(end - 1)
  if (last >= 0xd800 && last <= 0xdbff) end--
  return text.slice(0, end) + marker
}
