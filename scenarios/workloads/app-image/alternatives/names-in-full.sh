# score: 100
# Write both names in full, as the registry and the nodes know them.
set -euo pipefail
ssh worker-1 sudo crictl images | grep -E 'nginx|agnhost'
kubectl -n "$NS" patch deployment web -p '{"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "docker.io/library/nginx:1.29"}]}}}}'
kubectl -n "$NS" patch deployment feed -p '{"spec": {"template": {"spec": {"containers": [{"name": "feed", "image": "registry.k8s.io/e2e-test-images/agnhost:2.59"}]}}}}'
kubectl -n "$NS" rollout status deployment web --timeout=120s
kubectl -n "$NS" rollout status deployment feed --timeout=120s
