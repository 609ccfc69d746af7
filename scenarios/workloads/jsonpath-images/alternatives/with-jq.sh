# score: 100
set -euo pipefail
kubectl get pods -A -l audit="$AUDIT" -o json |
  jq -r '.items | sort_by(.metadata.namespace, .metadata.name)[] | [.metadata.namespace, .metadata.name, .spec.containers[].image] | join(" ")' > /home/candidate/images.txt
