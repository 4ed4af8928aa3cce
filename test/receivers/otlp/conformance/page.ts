import { ALL, type Case, type Group } from './case.ts'
import { groups } from './groups.ts'
import { SECTIONS } from './sections.ts'

/** docs/otlp-conformance.md: every case, and where it is written what it stands for. */
export function conformancePage(): string {
  const cases = groups.flatMap((group) => group.cases)
  const runs = cases.reduce((sum, { over }) => sum + over.length, 0)
  const intro = [
    '# OTLP conformance',
    '',
    'Made from the cases in `test/receivers/otlp/conformance` by `npm run docs`.',
    '',
    `${cases.length} cases, ${runs} runs: each is sent by a client over real sockets in every way that is marked, and asserted by`,
    '`npx vitest run --project unit test/receivers/otlp/conformance`. Each answer is also checked for what holds of all: it is in the',
    'encoding of its request, a failure is a `google.rpc.Status`, and code and message are the same in trailers and details. What was',
    'pushed is read by another protobuf library and compared value by value.',
    '',
    'gRPC is served by Sluice itself; with `implementation: http2` on the HTTP/2 of Node, with `implementation: grpc-js` by the library of',
    'the gRPC project. A case of gRPC that is not marked for the latter is one that the library answers before anybody is asked, with other',
    'codes or headers.',
    '',
  ]
  return [...intro, ...groups.flatMap(table)].join('\n')
}

function table({ title, cases }: Group): string[] {
  const head = [
    `## ${title}`,
    '',
    `| case | ${ALL.join(' | ')} | see |`,
    `|---|${'---|'.repeat(ALL.length)}---|`,
  ]
  return [...head, ...cases.map(row), '']
}

function row({ name, over, section }: Case): string {
  const [title, address] = SECTIONS[section]
  const marks = ALL.map((way) => (over.includes(way) ? '✓' : ''))
  return `| ${escaped(name)} | ${marks.join(' | ')} | [${title}](${address}) |`
}

/** So that a page shows a name as it is. */
function escaped(name: string): string {
  return name.replace(/[\\|*_<>[\]]/g, '\\$&')
}
