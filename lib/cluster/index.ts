// The only door of cluster: the ports, the adapters, the pool.
export { type FakeOptions, type FakeProvider, fakeProvider } from './fake/index.ts'
export * from './port.ts'
