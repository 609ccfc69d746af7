# score: 100
# Keep what was restricted, and let this one node in: by its pool, and by a toleration of its taint.
set -euo pipefail
kubectl -n kube-system get daemonset kube-proxy -o json |
  jq --arg pool "$POOL" '.spec.template.spec |= (
      (if .nodeSelector["example.com/pool"] then
        del(.nodeSelector["example.com/pool"])
        | .affinity = {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
            {matchExpressions: [{key: "example.com/pool", operator: "In", values: ["general", $pool]}]}]}}}
      else . end)
      | .tolerations += [{key: "dedicated", operator: "Equal", value: $pool, effect: "NoSchedule"}])' |
  kubectl replace -f -
kubectl -n kube-system rollout status daemonset kube-proxy --timeout=180s
