import { readFileSync } from 'node:fs'
import { fromBinary } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { ResourceSchema } from '../../../test/oracle/generated/opentelemetry/proto/resource/v1/resource_pb.js'
import type { LoggerOptions } from '../../src/options/options.ts'
import { resolveSettings } from '../../src/options/resolve.ts'
import type { Environment } from '../../src/options/source.ts'
import { encodeResource, resourceAttributes } from '../../src/resource/resource.ts'
import { VERSION } from '../../src/version.ts'
import { attributesOf } from '../support/decode.ts'

const ID = '0123456789abcdef'.repeat(4)
const POD = '12345678-1234-1234-1234-123456789abc'

function detected(
  files: Record<string, string> = {},
  environment: Environment = {},
  options: LoggerOptions = {},
): Record<string, unknown> {
  const settings = resolveSettings(options, environment)
  const attributes = resourceAttributes(settings.resource, environment, { read: (path) => files[path] })
  const bytes = new Uint8Array(encodeResource(attributes))
  return attributesOf(fromBinary(ResourceSchema, bytes).attributes)
}

describe('the resource', () => {
  it('tells service, host, process and SDK', () => {
    const attributes = detected(
      { '/etc/machine-id': 'machine\n' },
      {},
      {
        service: 'shop',
        version: '1.2',
        namespace: 'sales',
        environment: 'prod',
        resource: { team: 'a' },
      },
    )

    expect(attributes).toMatchObject({
      'service.name': 'shop',
      'service.version': '1.2',
      'service.namespace': 'sales',
      'deployment.environment.name': 'prod',
      'host.id': 'machine',
      'process.pid': BigInt(process.pid),
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      'telemetry.sdk.name': '@sluice/logs',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': VERSION,
      team: 'a',
    })
    expect(attributes['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(attributes).toHaveProperty(['host.name'])
    expect(attributes).not.toHaveProperty(['process.command_args'])
    expect(attributes).not.toHaveProperty(['container.id'])
  })

  it('takes the environment below the code, and OTEL_SERVICE_NAME above OTEL_RESOURCE_ATTRIBUTES', () => {
    const environment = {
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=low,service.version=9,host.name=mine,team=a%2Cb',
      OTEL_SERVICE_NAME: 'high',
    }

    expect(detected({}, environment)).toMatchObject({
      'service.name': 'high',
      'service.version': '9',
      'host.name': 'mine',
      team: 'a,b',
    })
    expect(detected({}, environment, { service: 'code' })['service.name']).toBe('code')
    expect(detected()['service.name']).toBe('unknown_service:node')
  })

  it.each([
    ['cgroup v1 of Docker', { '/proc/self/cgroup': `12:cpu:/docker/${ID}\n` }],
    [
      'cgroup v1 of containerd',
      { '/proc/self/cgroup': `1:name=systemd:/kubepods/pod1/cri-containerd-${ID}.scope\n` },
    ],
    ['cgroup v1 of CRI-O', { '/proc/self/cgroup': `0::/kubepods.slice/crio-${ID}.scope` }],
    [
      'cgroup v2 of Docker',
      {
        '/proc/self/cgroup': '0::/\n',
        '/proc/self/mountinfo': `1 2 3:4 /var/lib/docker/containers/${ID}/hostname /etc/hostname rw\n`,
      },
    ],
    [
      'cgroup v2 of containerd',
      {
        '/proc/self/mountinfo': `1 2 3:4 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${ID}/hostname /etc/hostname rw\n`,
      },
    ],
  ])('tells the container by %s', (_, files) => {
    expect(detected(files)['container.id']).toBe(ID)
  })

  it('tells the pod by the environment, by files, and by its mounts', () => {
    const inside = { KUBERNETES_SERVICE_HOST: '10.0.0.1', HOSTNAME: 'shop-7d9f' }
    const named = {
      ...inside,
      POD_NAME: 'named',
      K8S_NAMESPACE_NAME: 'ns',
      NODE_NAME: 'node-1',
      K8S_CONTAINER_NAME: 'app',
    }
    const files = {
      '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'from-file\n',
      '/proc/self/mountinfo': `1 2 3:4 /var/lib/kubelet/pods/${POD}/etc-hosts /etc/hosts rw\n`,
    }

    expect(detected(files, named)).toMatchObject({
      'k8s.pod.name': 'named',
      'k8s.namespace.name': 'ns',
      'k8s.node.name': 'node-1',
      'k8s.container.name': 'app',
      'k8s.pod.uid': POD,
    })
    expect(detected(files, inside)).toMatchObject({
      'k8s.pod.name': 'shop-7d9f',
      'k8s.namespace.name': 'from-file',
    })
    expect(detected(files, { POD_NAME: 'x', HOSTNAME: 'y' })).not.toHaveProperty(['k8s.pod.name'])
  })

  it('leaves out what cannot be detected, and all of it where it is not wanted', () => {
    const settings = resolveSettings({ service: 'shop' }, {})
    const broken = {
      read: () => {
        throw new Error()
      },
    }

    expect(resourceAttributes(settings.resource, {}, broken)).toMatchObject({
      'service.name': 'shop',
      'process.pid': process.pid,
    })
    expect(detected({}, {}, { service: 'shop', detectResource: false })).not.toHaveProperty(['process.pid'])
  })

  it('is that of this machine within a few milliseconds', () => {
    const settings = resolveSettings({}, {})
    const started = performance.now()

    encodeResource(resourceAttributes(settings.resource, process.env))

    expect(performance.now() - started).toBeLessThan(250)
  })

  it('tells the version of the package', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION)
  })
})
