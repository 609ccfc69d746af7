# score: 100
# Deployments made anew: the database's full name is written where it is asked, and the mounts are all the same.
set -euo pipefail
kubectl -n "$NS" get deployment booking -o json |
  jq --arg db "$DB.$NS.svc.cluster.local:$PORT" 'del(.status, .metadata.uid, .metadata.resourceVersion) | .spec.template.spec.initContainers[0] |= (del(.env)
    | .command[2] |= gsub("[$]DATABASE"; $db))' | kubectl replace --force -f -
kubectl -n "$NS" get deployment tickets -o json |
  jq --arg m "$BAD_MOUNT" 'del(.status, .metadata.uid, .metadata.resourceVersion) | .spec.template.spec.initContainers[1] |= (.volumeMounts[0].mountPath = "/out"
    | .command[2] |= gsub("/pages/"; "/out/"))' | kubectl replace --force -f -
kubectl -n "$NS" rollout status deployment booking --timeout=120s
kubectl -n "$NS" rollout status deployment tickets --timeout=120s
