#!/usr/bin/env bash
# Puts container images into a node image and names them in its mirror, then gives the result a tag. Needs docker; knows nothing
# of where the images came from.
# Usage: preload.sh FROM_IMAGE TO_IMAGE LABEL=VALUE IMAGE=NAME...
#   IMAGE as docker here knows it; NAME as the cluster shall know it, in full (docker.io/library/nginx:latest)
set -euo pipefail
from=${1:?node image} to=${2:?name of the result} label=${3:?label of the result}; shift 3
name=kubemend-preload-$$
trap 'docker rm -f "$name" >/dev/null 2>&1 || true' EXIT
docker run -d --privileged --network none --name "$name" --entrypoint sleep "$from" infinity >/dev/null
# No kubelet, no pods: containerd alone, until it answers.
docker exec -d "$name" sh -c 'exec containerd >/tmp/containerd.log 2>&1'
tries=0
until docker exec "$name" ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 120 ]; then
    echo "containerd does not start in $from; its last lines:" >&2
    docker exec "$name" tail -n 20 /tmp/containerd.log >&2 || true
    exit 1
  fi
  sleep 0.5
done
images=() renames=()
for pair in "$@"; do
  image=${pair%%=*} known=${pair%%=*}
  # containerd spells out what Docker leaves away; a first part with a dot or a port is a registry.
  case $known in
    */*) case ${known%%/*} in *[.:]* | localhost) ;; *) known=docker.io/$known ;; esac ;;
    *) known=docker.io/library/$known ;;
  esac
  [[ " ${images[*]-} " == *" $image "* ]] || images+=("$image")
  [ "$known" = "${pair#*=}" ] || renames+=("$known ${pair#*=}")
done
if [ ${#images[@]} -gt 0 ]; then
  docker save "${images[@]}" | docker exec -i "$name" ctr -n k8s.io images import --all-platforms --no-unpack --digests - >/dev/null
  # The archive as a whole is an image to containerd, and would keep all that is in it.
  docker exec "$name" sh -euc 'ctr -n k8s.io images list -q | grep ^import- | xargs -r ctr -n k8s.io images rm >/dev/null'
fi
if [ ${#renames[@]} -gt 0 ]; then
  printf '%s\n' "${renames[@]}" | docker exec -i "$name" sh -euc 'while read -r old new; do ctr -n k8s.io images tag --force "$old" "$new" >/dev/null; done'
  docker exec "$name" ctr -n k8s.io images rm $(printf '%s\n' "${renames[@]}" | cut -d' ' -f1 | sort -u) >/dev/null
fi
# Pinned: the kubelet's garbage collection leaves them alone.
printf '%s\n' "${@#*=}" | docker exec -i "$name" sh -euc '
  while read -r image; do ctr -n k8s.io images label "$image" io.cri-containerd.pinned=pinned >/dev/null; done
  mkdir -p /var/lib/image-mirror
  ctr -n k8s.io images list | tail -n +2 | image-mirror collect --dir /var/lib/image-mirror
  pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done
  rm -rf /tmp/* /run/containerd'
docker commit --change "LABEL $label" --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' --change 'CMD []' "$name" "$to" >/dev/null
