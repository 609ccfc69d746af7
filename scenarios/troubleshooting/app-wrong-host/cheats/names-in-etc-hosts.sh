# score: 0
# Nobody asks these files here: the web server asks its name server.
ip=$(kubectl -n "$DATA" get service "$API" -o jsonpath='{.spec.clusterIP}')
for node in control-plane worker-1 worker-2; do
  ssh $node "echo '$ip $OLD.$DATA.svc.cluster.local' | sudo tee -a /etc/hosts >/dev/null"
done
