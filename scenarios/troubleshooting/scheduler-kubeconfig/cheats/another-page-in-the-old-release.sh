# score: 0
# The old release, with the new one's page. The kubelets bring it to the pods within two minutes.
kubectl -n "$NS" get configmap "$APP-granite" -o json | jq --arg r "$RELEASE" '.data["index.html"]="release \($r)\n"' | kubectl replace -f -
sleep 100
