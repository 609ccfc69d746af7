# The images on public ones: kind's node image, Debian, Go, and the workloads as they are published. Sourced by build.sh.

DEBIAN_IMAGE=${KUBEMEND_DEBIAN_IMAGE:-debian:trixie-slim}
GO_IMAGE=${KUBEMEND_GO_IMAGE:-golang:1.26-trixie}
KIND_IMAGE=${KUBEMEND_KIND_IMAGE:-kindest/node:$K8S}

pull() { # pull IMAGE...: what Docker has is kept
  local image
  for image in "$@"; do
    docker image inspect "$image" >/dev/null 2>&1 && continue
    doing "$image"
    docker pull --quiet "$image"
  done
}

tools_context() { # the programs of ours and the pinned modules, as a build context
  local context=$1
  mkdir -p "$context"/modules
  cp "$here/online/tools/Dockerfile" "$context/"
  cp -r "$here"/{hold,probe,registry} "$context/"
  cp -r "$here"/offline/modules/{cni,etcdctl,etcdutl,helm,yq} "$context/modules/"
}

make_tools() {
  local context
  context=$(mktemp -d)
  trap "rm -rf '$context'" EXIT
  tools_context "$context"
  build "$TOOLS" "$1" "$context" "GO_IMAGE=$GO_IMAGE" "KIND_IMAGE=$KIND_IMAGE"
}

main() {
  needs 'docker|https://docs.docker.com/engine/install/'
  local images=() pairs=() line name tools_key workstation_key node_key grader_key
  for name in $(flannel_images); do images+=("$name"); done
  while read -r line; do for name in ${line#* }; do images+=("${name#docker.io/library/}"); pairs+=("${name#docker.io/library/}=$name"); done; done < <(workloads)
  for name in $(flannel_images); do pairs+=("$name=$name"); done

  tools_key=$(key online-tools "$K8S" "$GO_IMAGE" "$KIND_IMAGE" "$here/online/tools" "$here/hold" "$here/probe" "$here/registry" "$here"/offline/modules/{cni,etcdctl,etcdutl,helm,yq})
  grader_key=$(key "$tools_key" "$here/grader")
  workstation_key=$(key "$tools_key" "$DEBIAN_IMAGE" "$here/workstation")
  node_key=$(key "$tools_key" "$KIND_IMAGE" "$here/node" "$here/preload.sh" "${pairs[@]}")

  if fresh "$GRADER" "$grader_key" && fresh "$WORKSTATION" "$workstation_key" && fresh "$NODE" "$node_key"; then
    tell images "Images of node, workstation and grader" cached
    return
  fi
  step pull "Pull public images" pull "$GO_IMAGE" "$KIND_IMAGE" "$DEBIAN_IMAGE" "${images[@]}"
  if fresh "$TOOLS" "$tools_key"; then tell tools "Programs" cached; else step tools "Programs" make_tools "$tools_key"; fi
  if fresh "$GRADER" "$grader_key"; then tell grader "Image of the grader" cached; else
    step grader "Image of the grader" build "$GRADER" "$grader_key" "$here/grader" "TOOLS_IMAGE=$TOOLS"; fi
  if fresh "$WORKSTATION" "$workstation_key"; then tell workstation "Image of the workstation" cached; else
    step workstation "Image of the workstation" build "$WORKSTATION" "$workstation_key" "$here/workstation" "BASE_IMAGE=$DEBIAN_IMAGE" "TOOLS_IMAGE=$TOOLS"; fi
  if fresh "$NODE" "$node_key"; then tell node "Image of the node" cached; else
    step node "Image of the node" make_node "$KIND_IMAGE" "$node_key" "${pairs[@]}"; fi
}
