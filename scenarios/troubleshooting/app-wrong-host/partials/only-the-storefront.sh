# score: 50
# The setting is right, but only one of the two that read it was started again.
set -euo pipefail
kubectl -n "$NS" get configmap settings -o yaml | sed "s/$OLD\\.$DATA/$API.$DATA/" | kubectl apply -f -
kubectl -n "$NS" rollout restart deployment storefront
kubectl -n "$NS" rollout status deployment storefront --timeout=120s
