// The only door of protocol: messages over HTTP and WebSocket as zod schemas, views, error codes. Runs in the browser too.
export * from './classroom.ts'
export * from './documentation.ts'
export * from './error.ts'
export * from './exam.ts'
export * from './messages.ts'
export * from './people.ts'
export * from './reduce.ts'
export * from './views.ts'
