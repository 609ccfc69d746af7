# score: 100
set -euo pipefail
# All namespaces, one label; a line for each pod, with all images of its containers.
kubectl get pods -A -l audit="$AUDIT" --sort-by=.metadata.namespace \
  -o jsonpath='{range .items[*]}{.metadata.namespace}{"\t"}{.metadata.name}{"\t"}{.spec.containers[*].image}{"\n"}{end}' > /home/candidate/images.txt
cat /home/candidate/images.txt
