// The only door of host: what this machine has (doctor), what set-up brings to it, and the facts and names that a cluster is made with.

export { dockerPlan } from './docker.ts'
export { type DoctorOptions, doctor, summary, table } from './doctor.ts'
export { type MachineFacts, machineFacts } from './facts.ts'
export { type BringOptions, bringKubectl, bringYq, findHelm, findKubectl, type Program } from './kubectl.ts'
export { type Machine, thisMachine } from './machine.ts'
export { cacheFolder, findTool, type Images, images, kubernetesVersion } from './settings.ts'
export { currentSetup, planSetup, type SetupOptions, setup, setupLog } from './setup.ts'
export { doctorSimulated, type SimulatedOptions } from './simulated.ts'
