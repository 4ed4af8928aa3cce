/** `12,345`, `1.2 M`, `3.4 G`: three figures are enough to plan with. */
export function count(value: number): string {
  for (const [size, letter] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const) {
    if (Math.abs(value) >= size) return `${figures(value / (letter === 'k' ? 1e3 : size))} ${letter}`
  }
  return figures(value)
}

/** A few significant figures, without an exponent. */
export function figures(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(Math.abs(value) >= 10 ? 3 : 2)))
}

export function bytes(value: number): string {
  const gib = value / 1024 ** 3
  return gib >= 1024 ? `${figures(gib / 1024)} TiB` : `${figures(gib)} GiB`
}

export function percent(share: number): string {
  return `${figures(share * 100)} %`
}

/** `0.4 s`, `12 s`, `3.5 min`, `1.2 h`. */
export function duration(ms: number): string {
  if (ms < 90_000) return `${figures(ms / 1000)} s`
  if (ms < 5_400_000) return `${figures(ms / 60_000)} min`
  return `${figures(ms / 3_600_000)} h`
}

/** A Markdown table; the first row is its head. */
export function table([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
