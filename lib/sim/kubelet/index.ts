// The door of the kubelet and of the container runtime: images, containerd as a unit, the kubelet as a unit, what the API server asks of kubelets.
// Knows the API only as a Client, the network only as CniHooks and network namespaces.
export { crictl } from './crictl.ts'
export { kubeletDoor } from './door.ts'
export { images, parseReference } from './images.ts'
export { createKubelet, type KubeletOptions } from './kubelet.ts'
export { createRuntime, type RuntimeOptions } from './runtime.ts'
export { staticPods } from './statics.ts'
export type { ContainerState, Runtime, SandboxState } from './types.ts'
