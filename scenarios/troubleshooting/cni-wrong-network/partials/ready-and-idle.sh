# score: 40; variants: backend
# A pod that sleeps does not end, and is ready. The file that it should have written is written by hand.
set -euo pipefail
range=$(kubectl get node "$NODE_WORKER_2" -o jsonpath='{.spec.podCIDR}')
ssh worker-1 sudo cat /run/flannel/subnet.env | sed "s#^FLANNEL_SUBNET=.*#FLANNEL_SUBNET=${range%.*}.1/24#" | ssh worker-2 'sudo tee /run/flannel/subnet.env >/dev/null'
kubectl -n kube-flannel get daemonset kube-flannel-ds -o json | jq '(.spec.template.spec.containers[] | select(.name == "kube-flannel")) |= (.command = ["sleep", "infinity"] | del(.args))' | kubectl replace -f -
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
sleep 20
