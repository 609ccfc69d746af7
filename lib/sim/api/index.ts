// The API server of the simulated cluster, and etcd's content. Its only door.
export { identityOf } from './identity.ts'
export type { KubeletDoor } from './kubelet-door.ts'
export { used as quotaUsage } from './quota.ts'
export { fieldMatch, labelMatch } from './selectors.ts'
export { ApiServer, type ApiServerOptions } from './server.ts'
export { deepFreeze, Store, type StoreDump } from './store.ts'
export { secretTokenSigner, serviceAccountUser } from './tokens.ts'
