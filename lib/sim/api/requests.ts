// One door for every request, from inside the process and over HTTPS: is it allowed, then which part answers. Knows nothing of HTTP itself.
import type { DeleteOptions, KubeObject, ListOptions, PatchType, User } from '../kube.ts'
import { ApiError } from '../kube.ts'
import type { Authorizer } from './authorizer.ts'
import type { Call, Listing, Operations, Page } from './operations.ts'
import type { Served } from './registry.ts'
import { componentStatuses, type Reviews, review } from './reviews.ts'
import type { Subresources } from './subresources.ts'

export class Requests {
  readonly authorizer: Authorizer
  readonly operations: Operations
  readonly #subresources: Subresources
  readonly #reviews: Reviews

  constructor(options: { authorizer: Authorizer; operations: Operations; subresources: Subresources; reviews: Reviews }) {
    this.authorizer = options.authorizer
    this.operations = options.operations
    this.#subresources = options.subresources
    this.#reviews = options.reviews
  }

  /** throws 403 */
  authorize(verb: string, call: Pick<Call, 'user' | 'served' | 'namespace' | 'name' | 'subresource'>, fieldSelector?: string): void {
    const { user, served, namespace, subresource } = call
    // A list of one name is allowed where that name is, and refused by that name.
    const name = call.name || (/^metadata\.name=([^,!=]+)$/.exec(fieldSelector ?? '')?.[1] ?? '')
    // A Namespace is in itself, for who may read it.
    const within = served.bucket === 'namespaces' ? name : namespace
    this.authorizer.check(user, {
      verb,
      group: served.group,
      resource: served.resource,
      subresource,
      namespace: within,
      name,
      ...(fieldSelector ? { fieldSelector } : {}),
    })
  }
  get(call: Call): KubeObject {
    this.#allows(call.served, 'get', call.subresource)
    const virtual = componentStatuses(this.#reviews, call)
    return virtual === undefined ? this.#subresources.get(call) : virtual[0]
  }
  list(call: Call, options: ListOptions, page?: Page): Listing {
    this.#allows(call.served, 'list', '')
    const virtual = componentStatuses(this.#reviews, { ...call, name: '' })
    if (virtual !== undefined) return { items: virtual, resourceVersion: '' }
    return this.operations.list(call.served, options, page)
  }
  create(call: Call, body: KubeObject, text?: string): KubeObject {
    this.#allows(call.served, 'create', call.subresource)
    return review(this.#reviews, call, body) ?? this.#subresources.create(call, body, text)
  }
  update(call: Call, body: KubeObject, text?: string): KubeObject {
    this.#allows(call.served, 'update', call.subresource)
    return this.#subresources.update(call, body, text)
  }
  patch(call: Call, type: PatchType, patch: KubeObject, options?: { force?: boolean }): KubeObject {
    this.#allows(call.served, 'patch', call.subresource)
    if (type === 'apply') {
      const { served, name, namespace } = call
      const there = this.operations.store.get(served.bucket, served.namespaced ? namespace : '', name) !== undefined
      if (!there) this.authorize('create', call)
    }
    return this.#subresources.patch(call, type, patch, options)
  }
  delete(call: Call, options: DeleteOptions & { orphanDependents?: boolean }): { object: KubeObject; answer: 'object' | 'status' } {
    this.#allows(call.served, 'delete', call.subresource)
    return this.operations.delete(call, options)
  }
  deleteCollection(call: Call, list: ListOptions, options: DeleteOptions): Listing {
    this.#allows(call.served, 'deletecollection', '')
    return this.operations.deleteCollection(call, list, options)
  }

  #allows(served: Served, verb: string, subresource: string): void {
    const verbs = subresource === '' ? served.verbs : served.subresources.find((one) => one.name === subresource)?.verbs
    if (verbs === undefined) {
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
    }
    if (!verbs.includes(verb)) throw notAllowed()
  }
}
export const notAllowed = (): ApiError =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** who manages the fields that a component of the cluster writes: its binary's name, as its user agent tells the real server */
export function managerOf(user: User): string {
  if (user.name.startsWith('system:node:')) return 'kubelet'
  const account = /^system:serviceaccount:([^:]+):(.+)$/.exec(user.name)
  if (account !== null)
    return account[1] === 'kube-system' && controller.test(account[2] ?? '') ? 'kube-controller-manager' : (account[2] ?? '')
  return user.name.replace(/^system:/, '')
}
const controller =
  /-(controller|provisioner|cleaner|collector|binder|expander|signer|publisher)$|^(generic-garbage-collector|pvc-protection|bootstrap-signer)/
