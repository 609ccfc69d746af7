# score: 100; variants: directive
# The Corefile as a whole, from the description of the add-on; then leave the rest to the back-off and to the rollout that is still going on.
set -euo pipefail
cat > /tmp/Corefile <<COREFILE
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    hosts {
       $IP $HOST.$ZONE
       fallthrough
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
COREFILE
kubectl -n kube-system create configmap coredns --from-file=Corefile=/tmp/Corefile --dry-run=client -o yaml | kubectl replace -f -
kubectl -n kube-system rollout status deployment coredns --timeout=240s
