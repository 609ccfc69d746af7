# score: 100
set -euo pipefail
# Unknown, not False: the node has not said anything for a while. So it must be asked on the spot.
kubectl get nodes
kubectl -n "$NS" get pods -o wide
# Is its agent running? The line "Loaded" tells how it stands with the next boot, too.
ssh worker-2 systemctl status kubelet --no-pager || true
ssh worker-2 systemctl is-enabled kubelet || true
# A mask would keep everybody from starting it; where there is none, this changes nothing.
ssh worker-2 sudo systemctl unmask kubelet
# Now, and with every boot to come.
ssh worker-2 sudo systemctl enable --now kubelet
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
# The waiting pods are placed as soon as the node is no longer tainted.
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
