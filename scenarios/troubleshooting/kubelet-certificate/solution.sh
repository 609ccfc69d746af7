# score: 100
set -euo pipefail
# What does the agent say?
ssh worker-1 'sudo journalctl -u kubelet --no-pager -n 300' | grep -m1 -E 'bootstrap kubeconfig|Unauthorized|forbidden' || true
# With what does it show who it is, until when, as whom, and who vouches for it? The other worker's is good.
ssh worker-1 'sudo grep client-certificate /etc/kubernetes/kubelet.conf'
for node in worker-1 worker-2; do
  ssh $node 'sudo openssl x509 -noout -dates -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem; sudo openssl verify -CAfile /etc/kubernetes/pki/ca.crt /var/lib/kubelet/pki/kubelet-client-current.pem' || true
done
# A request with the right name and group, signed by the cluster's authority where its key is. The node's key stays on the node.
ssh worker-1 "sudo openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /var/lib/kubelet/pki/renewed.key -subj '/O=system:nodes/CN=system:node:$NODE_WORKER_1'" >/tmp/node.csr
ssh control-plane 'cat >/tmp/node.csr; printf "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n" >/tmp/client.ext
  sudo openssl x509 -req -in /tmp/node.csr -CA /etc/kubernetes/pki/ca.crt -CAkey /etc/kubernetes/pki/ca.key -CAcreateserial -CAserial /tmp/serial -days 365 -extfile /tmp/client.ext' </tmp/node.csr >/tmp/node.crt
openssl x509 -noout -dates -subject -in /tmp/node.crt
ssh worker-1 'sudo sh -c "umask 077; cat - /var/lib/kubelet/pki/renewed.key >/var/lib/kubelet/pki/kubelet-client-renewed.pem; rm /var/lib/kubelet/pki/renewed.key"
  sudo ln -sfn /var/lib/kubelet/pki/kubelet-client-renewed.pem /var/lib/kubelet/pki/kubelet-client-current.pem
  sudo systemctl restart kubelet' </tmp/node.crt
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
