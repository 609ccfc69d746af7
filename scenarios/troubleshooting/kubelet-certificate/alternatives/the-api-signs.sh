# score: 100; variants: authority
# The API signs what somebody has approved: nobody touches the authority's key.
set -euo pipefail
request=$(ssh worker-1 "sudo openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /var/lib/kubelet/pki/renewed.key -subj '/O=system:nodes/CN=system:node:$NODE_WORKER_1' | base64 -w0")
kubectl apply -f - <<CSR
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: { name: back-from-repair }
spec:
  signerName: kubernetes.io/kube-apiserver-client-kubelet
  usages: [digital signature, client auth]
  request: $request
CSR
kubectl certificate approve back-from-repair
kubectl wait csr back-from-repair --for=jsonpath='{.status.certificate}' --timeout=30s >/dev/null
kubectl get csr back-from-repair -o jsonpath='{.status.certificate}' | base64 -d | ssh worker-1 'cd /var/lib/kubelet/pki 2>/dev/null || true
  sudo sh -c "umask 077; cat - /var/lib/kubelet/pki/renewed.key >/var/lib/kubelet/pki/kubelet-client-current.pem; rm /var/lib/kubelet/pki/renewed.key"; sudo systemctl restart kubelet'
kubectl wait --for=condition=Ready "node/$NODE_WORKER_1" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
