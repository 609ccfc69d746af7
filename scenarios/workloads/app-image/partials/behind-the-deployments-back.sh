# score: 75
# The ReplicaSet of the release is mended by hand while its Deployment is paused: all pods are right, the next rollout is not.
set -euo pipefail
kubectl -n "$NS" rollout undo deployment feed
kubectl -n "$NS" rollout pause deployment web
sets=$(kubectl -n "$NS" get replicasets -l app=web -o json)
new=$(jq -r '.items[] | select(.spec.template.spec.containers[0].image != "nginx:1.28") | .metadata.name' <<< "$sets")
old=$(jq -r '.items[] | select(.spec.template.spec.containers[0].image == "nginx:1.28") | .metadata.name' <<< "$sets")
kubectl -n "$NS" set image "replicaset/$new" web=nginx:1.29
kubectl -n "$NS" delete pods -l app=web --field-selector=status.phase=Pending
kubectl -n "$NS" wait --for=jsonpath='{.status.readyReplicas}'=1 "replicaset/$new" --timeout=60s
kubectl -n "$NS" scale replicaset "$old" --replicas=0
kubectl -n "$NS" scale replicaset "$new" --replicas=3
kubectl -n "$NS" wait --for=jsonpath='{.status.readyReplicas}'=3 "replicaset/$new" --timeout=60s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
