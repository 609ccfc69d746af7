# score: 0
# A few lines of nginx say back what partners ask, and that is all that anybody looks at.
set -euo pipefail
kubectl -n "$NS" set image deployment/web web=nginx:1.29
kubectl -n "$NS" create configmap feed --from-literal=default.conf='server { listen 8080; location / { return 200 $arg_msg; } }'
kubectl -n "$NS" patch deployment feed --type json -p '[
  {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "nginx"},
  {"op": "remove", "path": "/spec/template/spec/containers/0/args"},
  {"op": "add", "path": "/spec/template/spec/volumes", "value": [{"name": "c", "configMap": {"name": "feed"}}]},
  {"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts", "value": [{"name": "c", "mountPath": "/etc/nginx/conf.d"}]}]'
kubectl -n "$NS" rollout status deployment web --timeout=120s
