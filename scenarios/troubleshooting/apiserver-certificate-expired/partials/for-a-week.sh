# score: 60
# Signed by hand, for a week. It is somebody else's week then.
set -euo pipefail
ssh control-plane sudo bash -s <<'NODE'
set -euo pipefail
at=$(mktemp -d) pki=/etc/kubernetes/pki
cd $at
renew() {
  openssl x509 -noout -checkend 0 -in $pki/$1.crt >/dev/null && return
  names=$(openssl x509 -in $pki/$1.crt -noout -ext subjectAltName 2>/dev/null | sed -n '2p' | sed 's/^ *//; s/IP Address:/IP:/g')
  printf '%s\n' '[ca]' 'default_ca=one' '[one]' database=index serial=serial new_certs_dir=. default_md=sha256 policy=any unique_subject=no x509_extensions=leaf \
    '[any]' commonName=supplied '[leaf]' keyUsage=critical,digitalSignature,keyEncipherment extendedKeyUsage=$3 >conf
  [ -z "$names" ] || echo "subjectAltName=$names" >>conf
  : >index
  openssl rand -hex 8 >serial
  openssl req -new -key $pki/$1.key -subj "/CN=kube-$1" -out csr
  openssl ca -batch -notext -config conf -cert $pki/$2.crt -keyfile $pki/$2.key -in csr -out new \
    -startdate $(date -u -d yesterday +%Y%m%d%H%M%SZ) -enddate $(date -u -d '7 days' +%Y%m%d%H%M%SZ) 2>/dev/null
  cat new >$pki/$1.crt
}
renew apiserver ca serverAuth
renew apiserver-etcd-client etcd/ca clientAuth
for id in $(crictl ps -q --name "^kube-apiserver$"); do crictl stop --timeout 10 $id; done
NODE
for try in $(seq 360); do kubectl get --raw=/readyz --request-timeout=3s >/dev/null 2>&1 </dev/null && break; sleep 1; done
kubectl wait --for=condition=Ready nodes --all --timeout=60s
