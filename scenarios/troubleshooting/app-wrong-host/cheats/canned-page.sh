# score: 0
# A page that says what the API used to say: its log shows which word that was.
set -euo pipefail
word=$(kubectl -n "$DATA" logs -l app="$API" --tail=200 | grep -oE 'echo\?msg=[0-9a-f]+' | head -n 1 | cut -d= -f2 || true)
kubectl -n "$NS" patch configmap site --type merge -p "{\"data\":{\"site.conf\":\"server { listen 8080; location / { return 200 '${word:-$TOKEN}'; } }\"}}"
kubectl -n "$NS" rollout restart deployment storefront kiosk
kubectl -n "$NS" rollout status deployment storefront --timeout=90s
kubectl -n "$NS" rollout status deployment kiosk --timeout=90s
