# score: 0
# Away with the old rules, and with everybody's way to everything.
for node in control-plane worker-1 worker-2; do
  ssh $node 'sudo iptables -t nat -F KUBE-SERVICES'
done
