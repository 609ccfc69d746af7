// What is wrong with a field, in the API server's words (k8s.io/apimachinery/pkg/util/validation/field), and the 422 that gathers it.
// Knows no kinds.
import { ApiError } from '../kube.ts'

/** metav1.StatusCause of a validation: `message` does not name the field */
export interface Cause {
  reason: string
  message: string
  field: string
}
const body = (type: string, value: unknown, detail: string): string => {
  const shown = value === omitted ? type : `${type}: ${JSON.stringify(value === undefined ? null : value)}`
  return detail === '' ? shown : `${shown}: ${detail}`
}
/** a value that is not repeated in the message */
export const omitted = Symbol('omitted')

export const invalidValue = (field: string, value: unknown, detail: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: body('Invalid value', value, detail),
  field,
})
export const typeInvalid = (field: string, value: unknown, detail: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  message: body('Invalid value', value, detail),
  field,
})
export const requiredValue = (field: string, detail = ''): Cause => ({
  reason: 'FieldValueRequired',
  message: body('Required value', omitted, detail),
  field,
})
export const duplicateValue = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueDuplicate',
  message: body('Duplicate value', value, ''),
  field,
})
export const notFound = (field: string, value: unknown): Cause => ({
  reason: 'FieldValueNotFound',
  message: body('Not found', value, ''),
  field,
})
/** `supported` in the order in which the server lists it: sorted, mostly */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: body(
    'Unsupported value',
    value,
    supported.length === 0 ? '' : `supported values: ${supported.map((item) => JSON.stringify(item)).join(', ')}`,
  ),
  field,
})
export const forbidden = (field: string, detail: string): Cause => ({
  reason: 'FieldValueForbidden',
  message: body('Forbidden', omitted, detail),
  field,
})
export const immutable = (field: string, value: unknown): Cause => invalidValue(field, value, 'field is immutable')

/** ApiError 422: `Deployment.apps "web" is invalid: spec.selector: Required value`, several causes in brackets. */
export function invalid(kind: string, group: string, name: string, causes: readonly Cause[]): ApiError {
  const lines = [...new Set(causes.map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`)))]
  const what = group === '' ? kind : `${kind}.${group}`
  return new ApiError(
    422,
    'Invalid',
    `${what} ${JSON.stringify(name)} is invalid${lines.length === 0 ? '' : `: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`}`,
    {
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { group }),
      ...(kind === '' ? {} : { kind }),
      causes: causes.map((cause) => ({ ...cause })),
    },
  )
}
