# score: 70; variants: both
# Whoever wears the label, in whatever namespace.
set -euo pipefail
echo kube-flannel/kube-flannel-ds >/home/candidate/agent.txt
printf '%s\n' "$NS/$FRONT" "$PARTNER/$READER" >/home/candidate/let-in.txt
kubectl get pods -A -l tier=public -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.labels.app}{"\n"}{end}' >/home/candidate/no-names.txt
