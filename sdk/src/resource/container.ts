import type { Files } from './files.ts'

/** What Docker, containerd, CRI-O and Podman name a container by. */
const ID = '[0-9a-f]{64}'
/** The last part of the path of a cgroup (version 1): `/docker/<id>`, `/kubepods/…/cri-containerd-<id>.scope`. */
const CGROUP = new RegExp(`[/:-](${ID})(?:\\.scope)?$`, 'm')
/** In a cgroup namespace of version 2 the path is `/`: the runtime mounts files from the folder of the container. */
const MOUNT = new RegExp(`/(?:containers|sandboxes|overlay-containers)/(${ID})/\\S* /etc/host(?:name|s) `)

/** The id of the container that the process runs in; undefined outside of one. */
export function containerId(files: Files): string | undefined {
  const cgroup = CGROUP.exec(files.read('/proc/self/cgroup') ?? '')
  return cgroup?.[1] ?? MOUNT.exec(files.read('/proc/self/mountinfo') ?? '')?.[1]
}
