# score: 0
# Who believes everybody needs no authority.
ssh worker-2 "sudo sed -i -E '/clientCAFile:/d; s/^  x509:.*/  x509: {}/; /^  anonymous:/,/enabled/ s/enabled: false/enabled: true/; s/^  mode: Webhook/  mode: AlwaysAllow/' /var/lib/kubelet/config.yaml
  sudo systemctl restart kubelet"
kubectl wait --for=condition=Ready "node/$NODE_WORKER_2" --timeout=120s
kubectl -n "$NS" rollout status deployment "$APP" --timeout=120s
