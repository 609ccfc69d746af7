// The only door of cluster: the ports, the adapters, the pool.
export * from './api.ts'
export * from './port.ts'
