// The only door of cluster: the ports, the adapters, the pool, and any object of a cluster's API.
export * from './api.ts'
export * from './clock.ts'
export { type FakeOptions, type FakeProvider, fakeProvider } from './fake/index.ts'
export { kindConfig } from './kind/config.ts'
export { kindProvider } from './kind/index.ts'
export type { KindOptions } from './kind/options.ts'
export { Pool, type PoolOptions } from './pool.ts'
export * from './port.ts'
