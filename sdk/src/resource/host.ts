import { arch, hostname, release, type } from 'node:os'
import type { Files } from './files.ts'

/** Semantic conventions, "Host" and "Operating System": the words of Go for architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'x86',
  arm: 'arm32',
  ppc: 'ppc32',
}
/** `systemd` writes it at installation, D-Bus before there was systemd. */
const MACHINE_IDS = ['/etc/machine-id', '/var/lib/dbus/machine-id']

/** The machine, or what the container is told it is. */
export function host(files: Files): Record<string, unknown> {
  const architecture = arch()
  return {
    'host.name': hostname(),
    'host.arch': ARCHITECTURES[architecture] ?? architecture,
    'host.id': MACHINE_IDS.map((path) => files.read(path)?.trim()).find(Boolean),
    'os.type': osType(),
    'os.version': release(),
  }
}

function osType(): string {
  const name = type().toLowerCase()
  return name.startsWith('windows') ? 'windows' : name
}
