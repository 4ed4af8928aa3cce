import type { Environment } from '../options/source.ts'
import type { Files } from './files.ts'

const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
/** Where the documentation of Kubernetes mounts a volume of the downward API. */
const POD_INFO = '/etc/podinfo'
/** The kubelet mounts `/etc/hosts` from the folder of the pod. */
const POD_MOUNT = /\/pods\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/etc-hosts /

/** Variables that a manifest fills from the downward API, in the two ways they are mostly named. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'k8s.pod.name': ['K8S_POD_NAME', 'POD_NAME'],
  'k8s.pod.uid': ['K8S_POD_UID', 'POD_UID'],
  'k8s.namespace.name': ['K8S_NAMESPACE_NAME', 'POD_NAMESPACE'],
  'k8s.node.name': ['K8S_NODE_NAME', 'NODE_NAME'],
  'k8s.container.name': ['K8S_CONTAINER_NAME', 'CONTAINER_NAME'],
  'k8s.deployment.name': ['K8S_DEPLOYMENT_NAME'],
  'k8s.statefulset.name': ['K8S_STATEFULSET_NAME'],
  'k8s.daemonset.name': ['K8S_DAEMONSET_NAME'],
  'k8s.job.name': ['K8S_JOB_NAME'],
  'k8s.cronjob.name': ['K8S_CRONJOB_NAME'],
  'k8s.cluster.name': ['K8S_CLUSTER_NAME'],
}

/** What a pod knows of itself. Empty outside of Kubernetes, which sets `KUBERNETES_SERVICE_HOST` in every container. */
export function kubernetes(environment: Environment, files: Files): Record<string, string | undefined> {
  if (environment.KUBERNETES_SERVICE_HOST === undefined) return {}
  const named = Object.entries(VARIABLES).map(([attribute, names]) => [
    attribute,
    names.map((name) => environment[name]).find(Boolean),
  ])
  const told: Record<string, string | undefined> = Object.fromEntries(named)
  const info = (name: string): string | undefined => files.read(`${POD_INFO}/${name}`)?.trim() || undefined
  return {
    ...told,
    // The host name is the pod's, unless the manifest sets another one.
    'k8s.pod.name': told['k8s.pod.name'] ?? info('name') ?? environment.HOSTNAME,
    'k8s.pod.uid':
      told['k8s.pod.uid'] ?? info('uid') ?? POD_MOUNT.exec(files.read('/proc/self/mountinfo') ?? '')?.[1],
    'k8s.namespace.name':
      told['k8s.namespace.name'] ?? info('namespace') ?? files.read(SERVICE_ACCOUNT_NAMESPACE)?.trim(),
  }
}
