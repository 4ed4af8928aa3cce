import { LEN, WireReader } from '../../../../src/logs/wire.ts'
import { WireWriter } from '../../../../src/logs/wire-writer.ts'
import { Code } from '../../outcome.ts'
import { declaring, serviceNames, withImports } from './descriptors.ts'
import { type Methods, replying } from './method.ts'

/** `grpc.reflection.v1.ServerReflection`: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md */

const Request = {
  host: 0x0a,
  fileByFilename: 0x1a,
  fileContainingSymbol: 0x22,
  fileContainingExtension: 0x2a,
  allExtensionNumbersOfType: 0x32,
  listServices: 0x3a,
} as const
const Response = {
  validHost: 0x0a,
  originalRequest: 0x12,
  fileDescriptorResponse: 0x22,
  listServicesResponse: 0x32,
  errorResponse: 0x3a,
} as const
const FileDescriptorResponse = { fileDescriptorProto: 0x0a } as const
const ListServiceResponse = { service: 0x0a } as const
const ServiceResponse = { name: 0x0a } as const
const ErrorResponse = { errorCode: 0x08, errorMessage: 0x12 } as const

/** Both versions are the same but for their name. Files come with all that they import. */
export function reflectionMethods(isServed: (service: string) => boolean): Methods {
  const services = serviceNames.filter(isServed)
  const method = replying((request) => reply(request, services))
  return new Map(
    ['v1', 'v1alpha'].map((version) => [
      `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      method,
    ]),
  )
}

function reply(request: Buffer, services: readonly string[]): Buffer {
  const { host, asked, name } = read(request)
  const writer = new WireWriter(16 * 1024)
  writer.text(Response.validHost, host)
  writer.field(Response.originalRequest, request)
  if (asked === Request.listServices) writeServices(writer, services)
  else if (asked === Request.fileByFilename) writeFiles(writer, withImports(name), name)
  else if (asked === Request.fileContainingSymbol) writeFiles(writer, declaring(name), name)
  else if (asked === undefined) writeError(writer, Code.invalidArgument, 'the request asks for nothing')
  else writeError(writer, Code.notFound, 'there are no extensions')
  return writer.copyOut()
}

/** Of what may be asked for only the last counts. */
function read(request: Buffer) {
  const reader = new WireReader(request)
  let host = ''
  let asked: number | undefined
  let name = ''
  while (reader.pos < request.length) {
    const tag = reader.tag(request.length)
    if ((tag & 7) !== LEN || tag > Request.listServices) {
      reader.skip(tag, request.length)
      continue
    }
    const end = reader.length(request.length)
    const text = request.toString('utf8', reader.pos, end)
    if (tag === Request.host) host = text
    else {
      asked = tag
      name = text
    }
    reader.pos = end
  }
  return { host, asked, name }
}

function writeServices(writer: WireWriter, services: readonly string[]): void {
  const list = writer.open(Response.listServicesResponse)
  for (const name of services) {
    const service = writer.open(ListServiceResponse.service)
    writer.text(ServiceResponse.name, name)
    writer.close(service)
  }
  writer.close(list)
}

function writeFiles(writer: WireWriter, files: readonly Buffer[] | undefined, name: string): void {
  if (files === undefined) {
    writeError(writer, Code.notFound, `there is no ${name}`)
    return
  }
  const answer = writer.open(Response.fileDescriptorResponse)
  for (const file of files) writer.field(FileDescriptorResponse.fileDescriptorProto, file)
  writer.close(answer)
}

function writeError(writer: WireWriter, code: number, message: string): void {
  const error = writer.open(Response.errorResponse)
  writer.varint(ErrorResponse.errorCode)
  writer.varint(code)
  writer.text(ErrorResponse.errorMessage, message)
  writer.close(error)
}
