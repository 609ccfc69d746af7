// The only door of cluster: the ports, the adapters, the pool.
export * from './port.ts'
