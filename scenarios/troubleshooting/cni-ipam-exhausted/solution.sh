# score: 100
set -euo pipefail
# What do the pods wait for?
kubectl -n "$NS" get events --field-selector reason=FailedCreatePodSandBox -o jsonpath='{.items[0].message}' || true
# So many addresses are taken, and so few pods are there.
ssh worker-2 'sudo ls /var/lib/cni/networks/cbr0 | wc -l; sudo crictl pods -q | wc -l'
# A lease names the sandbox that it is for. Those of sandboxes that are gone go too.
ssh worker-2 sudo bash -s <<'NODE'
set -euo pipefail
living=$(crictl pods -q --no-trunc)
cd /var/lib/cni/networks/cbr0
for lease in *.*.*.*; do
  id=$(head -n 1 $lease | tr -d '\r')
  grep -qxF "$id" <<<"$living" || rm $lease
done
NODE
kubectl -n "$NS" rollout status deployment "$APP" --timeout=180s
