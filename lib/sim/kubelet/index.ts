// The door of the kubelet and of the container runtime: images, containerd as a unit, the kubelet as a unit, what the API server asks of kubelets.
// Knows the API only as a Client, the network only as CniHooks and network namespaces.
export { crictl } from './crictl.ts'
export { kubeletDoor } from './door.ts'
export { images } from './images.ts'
export { createKubelet } from './kubelet.ts'
export { createRuntime } from './runtime.ts'
export { staticPods } from './statics.ts'
export type { Runtime } from './types.ts'
