# score: 0; variants: socket
# Somebody answers behind the Service.
set -euo pipefail
kubectl -n "$NS" run "$APP-twin" --image=nginx --image-pull-policy=IfNotPresent --labels="app=$APP"
kubectl -n "$NS" wait --for=condition=Ready "pod/$APP-twin" --timeout=60s
