# score: 100
set -euo pipefail
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace --no-headers \
  -o custom-columns='NS:.metadata.namespace,POD:.metadata.name,IMAGES:.spec.containers[*].image' > /home/candidate/images.txt
