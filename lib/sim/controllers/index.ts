// The controllers of kube-controller-manager and the scheduler of a simulated cluster. Each knows the cluster by the API alone: it starts from the
// objects, needs no memory of an earlier run, and ends with `stop`. Leader election, flags and files are whoever's who starts them.
import { type ControllerContext, Run } from './context.ts'

export type { ControllerContext, ControllerOptions } from './context.ts'

type Start = (run: Run) => void
/** in the order in which they start; names are those of kube-controller-manager (cmd/kube-controller-manager/names) */
const controllers: Readonly<Record<string, Start>> = {}

/** every controller that is simulated, by the name that --controllers takes */
export const controllerNames: readonly string[] = Object.keys(controllers)

/** Starts the controllers with these names, by default all. Names that are not simulated are passed over; `running` says which are not. */
export function startControllers(
  context: ControllerContext,
  names: readonly string[] = controllerNames,
): { stop(): void; running: readonly string[] } {
  const run = new Run(context, 'kube-controller-manager')
  const running = controllerNames.filter((name) => names.includes(name))
  for (const name of running) controllers[name]?.(run)
  return { stop: () => run.stop(), running }
}

/** Starts the default scheduler. */
export function startScheduler(context: ControllerContext): { stop(): void } {
  const run = new Run(context, 'kube-scheduler')
  return { stop: () => run.stop() }
}
