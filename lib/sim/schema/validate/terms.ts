// Node selector terms, of pods and of persistent volumes. Knows nothing of nodes.
import type { KubeObject } from '../../kube.ts'
import { forbidden, invalidValue, requiredValue } from '../cause.ts'
import { type Causes, isLabelValue, isQualifiedName } from './names.ts'

export function nodeTerm(term: KubeObject, at: string, out: Causes): undefined {
  for (const [index, { key, operator, values }] of (term.matchExpressions ?? []).entries()) {
    const own = `${at}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (!values?.length) out.add(requiredValue(`${own}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values?.length) out.add(forbidden(`${own}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else if (operator === 'Gt' || operator === 'Lt') {
      if (values?.length !== 1) out.add(requiredValue(`${own}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    } else out.add(invalidValue(`${own}.operator`, operator ?? '', 'not a valid selector operator'))
    out.check(`${own}.key`, key ?? '', isQualifiedName(key ?? ''))
    for (const [nth, value] of (values ?? []).entries()) out.check(`${own}.values[${nth}]`, value, isLabelValue(value))
  }
}
