import type { Group } from './case.ts'
import { answers } from './cases/answers.ts'
import { cors } from './cases/cors.ts'
import { encodings } from './cases/encodings.ts'
import { fields } from './cases/fields.ts'
import { grpc } from './cases/grpc.ts'
import { http } from './cases/http.ts'
import { jsonCases } from './cases/json.ts'
import { values } from './cases/values.ts'

/** Every case, in the order of the page made of them. */
export const groups: readonly Group[] = [
  ...answers,
  values,
  fields,
  ...encodings,
  ...jsonCases,
  ...http,
  cors,
  ...grpc,
]
