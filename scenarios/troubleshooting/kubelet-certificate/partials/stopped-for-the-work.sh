# score: 40; variants: expired, authority
# The certificate is good. The agent was stopped for the work, and nobody has started it again.
set -euo pipefail
ssh worker-1 sudo systemctl stop kubelet
ssh worker-1 "sudo openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /var/lib/kubelet/pki/renewed.key -subj '/O=system:nodes/CN=system:node:$NODE_WORKER_1'" >/tmp/node.csr
ssh control-plane 'cat >/tmp/node.csr; sudo openssl x509 -req -in /tmp/node.csr -CA /etc/kubernetes/pki/ca.crt -CAkey /etc/kubernetes/pki/ca.key -CAcreateserial -CAserial /tmp/serial -days 365' </tmp/node.csr >/tmp/node.crt
ssh worker-1 'sudo sh -c "cat - /var/lib/kubelet/pki/renewed.key >/var/lib/kubelet/pki/kubelet-client-current.pem; rm /var/lib/kubelet/pki/renewed.key"' </tmp/node.crt
