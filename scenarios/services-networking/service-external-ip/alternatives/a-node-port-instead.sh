# score: 100; variants: answers
# The Services are written anew, with a way in that takes no address.
set -euo pipefail
for one in "$PROMO" "$PROMO-partners"; do
  kubectl -n "$GUESTS" get service "$one" -o json |
    jq 'del(.status, .metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp, .spec.externalIPs) | .spec.type = "NodePort"' > "/tmp/$one.json"
  kubectl replace --force -f "/tmp/$one.json"
done
