// How Next builds and serves the pages. Types are checked by `npm run types`, not during the build.
import { vendor } from './bin/vendor.mjs'

vendor()

/** @type {import('next').NextConfig} */
export default {
  reactStrictMode: true,
  poweredByHeader: false,
  typescript: { ignoreBuildErrors: true },
  // Native modules and the lab's own plain TypeScript stay outside the bundle's reach: pages get the lab from the server's main, never by import.
  serverExternalPackages: ['@lydell/node-pty', 'dockerode', '@kubernetes/client-node', 'pino'],
  turbopack: { root: import.meta.dirname },
}
