// The only door of server for programs (bin/, tests). Pages use handle.ts, and nothing else of this module.
export { type Config, readConfig, root } from './config.ts'
export { kindBackend } from './kind.ts'
export { createLab, type Lab, type LabHandle } from './lab.ts'
export { type Running, serve } from './main.ts'
export { type SimBackendOptions, simBackend } from './sim.ts'
export { Sockets, type SocketsOptions } from './ws.ts'
