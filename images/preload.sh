#!/usr/bin/env bash
# Puts container images into a node image and names them in its mirror, then gives the result a tag. Needs docker; knows nothing
# of where the images came from.
# Usage: preload.sh FROM_IMAGE TO_IMAGE IMAGE...      (IMAGE as docker knows it: docker.io/library/ may be left out)
set -euo pipefail
from=${1:?node image} to=${2:?name of the result}; shift 2
name=kubemend-preload-$$
trap 'docker rm -f "$name" >/dev/null 2>&1 || true' EXIT
docker run -d --privileged --name "$name" --label org.kubemend.build=1 --entrypoint sleep "$from" infinity >/dev/null
# No networks, no pods: containerd alone, until it answers.
docker exec -d "$name" sh -c 'exec containerd >/tmp/containerd.log 2>&1'
tries=0
until docker exec "$name" ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then
    echo "preload: containerd does not start in $from; its last lines:" >&2
    docker exec "$name" tail -n 20 /tmp/containerd.log >&2 || true
    exit 1
  fi
  sleep 0.5
done
if [ $# -gt 0 ]; then
  docker save "$@" | docker exec -i "$name" ctr -n k8s.io images import --label=io.cri-containerd.pinned=pinned --all-platforms --no-unpack --digests - >/dev/null
fi
docker exec "$name" sh -euc '
  mkdir -p /var/lib/image-mirror
  ctr -n k8s.io images list | tail -n +2 | image-mirror collect --dir /var/lib/image-mirror
  pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done
  rm -rf /tmp/* /run/containerd'
docker commit --change 'ENTRYPOINT ["/usr/local/bin/entrypoint","/sbin/init"]' --change 'CMD []' "$name" "$to" >/dev/null
