// What the API's types are: resources, shapes, decoding, defaults, validation, patches, server-side apply. Pure functions over JSON; nothing
// here stores, authorises or serves. What takes an object leaves it alone; what gives one back may share parts with it.

export { apply, track } from './apply/index.ts'
export { type Cause, invalid, requiredValue } from './cause.ts'
export { badPatch, coerce, coercePatched } from './coerce.ts'
export { shapeOfCrd } from './crd.ts'
export { defaultsOfCrd, prune, validateCustom } from './custom.ts'
export { defaults } from './defaults/index.ts'
export { checkFields } from './fields.ts'
export { copy, equal, jsonPatch, mergePatch } from './patch.ts'
export { decode } from './protobuf.ts'
export { canonicalQuantity, compareQuantities, formatAmount, milli, nanoOf, quantity } from './quantity.ts'
export { openapiDocument, openapiIndex, type ResourceInfo, resources } from './resources.ts'
export { type StructShape, shapeOf } from './shape.ts'
export { strategicMerge } from './strategic.ts'
export { validateCreate, validateUpdate } from './validate/index.ts'
