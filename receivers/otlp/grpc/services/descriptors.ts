import { DESCRIPTOR_SET } from './generated/descriptor-set.ts'
import { parts } from './parts.ts'

/** https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto: numbers of its fields. */
const FileSet = { file: 1 } as const
const File = { name: 1, package: 2, dependency: 3, messageType: 4, enumType: 5, service: 6 } as const
const Message = { name: 1, nestedType: 3, enumType: 4 } as const
const Enum = { name: 1 } as const
const Service = { name: 1, method: 2 } as const
const Method = { name: 1 } as const

/** Full names of the services that are described. */
const services = new Set<string>()
const files = new Map<string, { readonly bytes: Buffer; readonly dependencies: readonly string[] }>()
const fileOf = new Map<string, string>()

for (const bytes of parts(Buffer.from(DESCRIPTOR_SET, 'base64'), FileSet.file)) {
  const name = text(bytes, File.name)
  const scope = text(bytes, File.package)
  files.set(name, { bytes, dependencies: parts(bytes, File.dependency).map(String) })
  const symbols = [
    ...parts(bytes, File.messageType).flatMap((message) => symbolsOf(message, scope)),
    ...parts(bytes, File.enumType).map((type) => `${scope}.${text(type, Enum.name)}`),
  ]
  for (const service of parts(bytes, File.service)) {
    const full = `${scope}.${text(service, Service.name)}`
    services.add(full)
    symbols.push(
      full,
      ...parts(service, Service.method).map((method) => `${full}.${text(method, Method.name)}`),
    )
  }
  for (const symbol of symbols) fileOf.set(symbol, name)
}

export const serviceNames: readonly string[] = [...services].sort()

/**
 * The `FileDescriptorProto` of a file and of all that it imports, each before what it imports; undefined where there is
 * no such file.
 */
export function withImports(name: string): readonly Buffer[] | undefined {
  if (!files.has(name)) return undefined
  const names = new Set<string>()
  const add = (each: string): void => {
    for (const imported of files.get(each)?.dependencies ?? []) add(imported)
    names.add(each)
  }
  add(name)
  return [...names].reverse().flatMap((each) => files.get(each)?.bytes ?? [])
}

/** The same for the file that declares a service, method, message or enum. */
export function declaring(symbol: string): readonly Buffer[] | undefined {
  return withImports(fileOf.get(symbol) ?? '')
}

function symbolsOf(message: Buffer, scope: string): string[] {
  const full = `${scope}.${text(message, Message.name)}`
  return [
    full,
    ...parts(message, Message.nestedType).flatMap((nested) => symbolsOf(nested, full)),
    ...parts(message, Message.enumType).map((type) => `${full}.${text(type, Enum.name)}`),
  ]
}

function text(bytes: Buffer, field: number): string {
  return String(parts(bytes, field)[0] ?? '')
}
