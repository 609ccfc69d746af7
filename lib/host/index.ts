// The only door of host: what this machine has (doctor), what set-up brings to it, and the facts and names that a cluster is made with.
export { type MachineFacts, machineFacts } from './facts.ts'
export { cacheFolder, type Images, images, kubernetesVersion } from './settings.ts'
