# The images with no container registry: every program from Go modules pinned by the go.sum files in modules/, the rest from the
# Debian mirror that this machine uses. Sourced by build.sh.

export CGO_ENABLED=0 GOFLAGS='' GOWORK=off
DEFAULT_K8S=$(sed -n 's/^require k8s.io\/kubernetes //p' "$here/offline/modules/kubernetes/go.mod")
SUITE=trixie
ARCH='' GOVERSION=''
DEBIAN=$REPO/debian:$SUITE
PRELOAD=$REPO/preload-$K8S
COMMANDS=(kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubeadm kubectl kubelet)

# --- programs -------------------------------------------------------------------------------------------------------------------

# What is built of each module: OUTPUT=PACKAGE...
declare -A PROGRAMS=(
  [kubernetes]="$(printf '%s ' "${COMMANDS[@]/#/@}")agnhost=k8s.io/kubernetes/test/images/agnhost genman=k8s.io/kubernetes/cmd/genman"
  [coredns]='coredns=github.com/coredns/coredns'
  [etcd]='etcd=go.etcd.io/etcd/server/v3'
  [etcdctl]='etcdctl=go.etcd.io/etcd/etcdctl/v3'
  [etcdutl]='etcdutl=go.etcd.io/etcd/etcdutl/v3'
  [containerd]='containerd=github.com/containerd/containerd/v2/cmd/containerd ctr=github.com/containerd/containerd/v2/cmd/ctr containerd-shim-runc-v2=github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2'
  [cri-tools]='crictl=sigs.k8s.io/cri-tools/cmd/crictl'
  [cni]="$(for p in main/bridge main/loopback main/ptp ipam/host-local meta/portmap meta/bandwidth meta/firewall; do printf '%s=github.com/containernetworking/plugins/plugins/%s ' "${p#*/}" "$p"; done)"
  [cni-flannel]='flannel=github.com/containernetworking/plugins/plugins/meta/flannel' # the last release that has it
  [local-path-provisioner]='local-path-provisioner=github.com/rancher/local-path-provisioner'
  [kind]='kind=sigs.k8s.io/kind'
  [helm]='helm=helm.sh/helm/v3/cmd/helm'
  [yq]='yq=github.com/mikefarah/yq/v4'
  [flanneld]='flanneld=.'
  [pause]='pause=.'
  [hold]='hold=.'
  [probe]='probe=.'
  [registry]='image-mirror=.'
)
ORDER=(kubernetes coredns etcd etcdctl etcdutl containerd cri-tools cni cni-flannel local-path-provisioner flanneld kind helm yq pause hold probe registry)

# Which of them depend on the Kubernetes version, by the constants of its kubeadm.
follows_kubernetes() { case $1 in kubernetes | coredns | etcd | etcdctl | etcdutl) return 0 ;; esac; return 1; }

module_dir() { # where a program's go.mod is: pinned in the checkout, or resolved for another Kubernetes version
  case $1 in
    hold | probe | registry) echo "$here/$1" ;;
    flanneld | pause) echo "$here/offline/$1" ;;
    *) if [ "$K8S" != "$DEFAULT_K8S" ] && follows_kubernetes "$1"; then echo "$CACHE/modules/$K8S/$1"; else echo "$here/offline/modules/$1"; fi ;;
  esac
}

program_key() {
  if [ "$K8S" != "$DEFAULT_K8S" ] && follows_kubernetes "$1"; then
    key program "$1" "$K8S" resolved "$GOVERSION" "$ARCH" "${PROGRAMS[$1]}" "$(flags "$1")"
  else
    key program "$1" "$GOVERSION" "$ARCH" "${PROGRAMS[$1]}" "$(flags "$1")" "$(module_dir "$1")"
  fi
}
program_dir() { echo "$CACHE/go/$1/${KEY[$1]}"; } # its outputs, complete when it exists
declare -A KEY
keys() { local name; for name in "$@"; do echo "${KEY[$name]}"; done; }

flags() { # the linker's, so that programs tell their version as released ones do
  local version=k8s.io/component-base/version minor=${K8S#v1.}
  case $1 in
    kubernetes) echo "-X $version.gitVersion=$K8S -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*} -X $version.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=$K8S" ;;
    containerd) echo "-X github.com/containerd/containerd/v2/version.Version=$(pinned containerd)" ;;
    cri-tools) echo "-X sigs.k8s.io/cri-tools/pkg/version.Version=$(pinned cri-tools)" ;;
    helm) echo "-X helm.sh/helm/v3/internal/version.version=$(pinned helm)" ;;
  esac
}
pinned() { awk '/^require/ && NF == 3 {print $3; exit} /^\t/ {print $2; exit}' "$here/offline/modules/$1/go.mod"; }

module_source() { # module_source PROGRAM MODULE: the folder with a module's files, fetched if need be
  (cd "$(module_dir "$1")" && go mod download "$2" && go list -mod=readonly -m -f '{{.Dir}}' "$2")
}

make_program() { # make_program NAME
  local dir out tags='' entry name package
  dir=$(module_dir "$1")
  out=$(program_dir "$1")
  [ "$1" != containerd ] || tags='no_aufs no_zfs no_btrfs no_devmapper'
  mkdir -p "$out.part" # what an interrupted run has built in it is kept
  cd "$dir"
  for entry in ${PROGRAMS[$1]}; do
    case $entry in @*) name=${entry#@} package=k8s.io/kubernetes/cmd/$name ;; *) name=${entry%%=*} package=${entry#*=} ;; esac
    [ -x "$out.part/$name" ] && continue
    doing "$name"
    go build -mod=readonly -trimpath -buildvcs=false -tags "$tags" -ldflags "-s -w $(flags "$1")" -o "$out.part/$name.new" "$package"
    mv "$out.part/$name.new" "$out.part/$name"
  done
  if [ "$1" = kubernetes ]; then
    constants >"$out.part/versions"
    mkdir -p "$out.part/man" && "$out.part/genman" "$out.part/man" kubectl
  elif [ "$1" = helm ]; then
    mkdir -p "$out.part/man" && "$out.part/helm" docs --type man --dir "$out.part/man"
  fi
  rm -rf "$out" && mv "$out.part" "$out"
  # Two generations are kept, this and the one before.
  find "$CACHE/go/$1" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d' ' -f2- | xargs -r rm -rf
}

constants() { # what this Kubernetes' kubeadm wants of others, as shell assignments
  local file name
  file=$(module_source kubernetes k8s.io/kubernetes)/cmd/kubeadm/app/constants/constants.go
  for name in DefaultEtcdVersion=ETCD CoreDNSVersion=COREDNS PauseVersion=PAUSE; do
    echo "${name#*=}=$(grep -oE "^\s*${name%%=*} *= *\"[^\"]+\"" "$file" | head -1 | cut -d'"' -f2)"
  done
}

# Another Kubernetes version than the pinned one: modules are resolved now, and go.sum is computed, not checked against ours.
resolve() {
  local root=$CACHE/modules/$K8S.part staging=v0${K8S#v1} source module ETCD COREDNS PAUSE
  rm -rf "$root" && mkdir -p "$root"
  doing "k8s.io/kubernetes $K8S"
  mkdir "$root/kubernetes" && cd "$root/kubernetes"
  source=$(go mod download -json "k8s.io/kubernetes@$K8S" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  {
    echo 'module kubemend/offline/kubernetes'
    grep -E '^go ' "$source/go.mod"
    echo "require k8s.io/kubernetes $K8S"
    grep -oE '^\s+k8s.io/[a-z0-9-]+ => ./staging' "$source/go.mod" | awk -v v="$staging" '{print "replace " $1 " => " $1 " " v}'
  } >go.mod
  cp "$here/offline/modules/kubernetes/tools.go" .
  go mod tidy
  eval "$(grep -oE '(DefaultEtcdVersion|CoreDNSVersion|PauseVersion) *= *"[^"]+"' "$source/cmd/kubeadm/app/constants/constants.go" | sed 's/DefaultEtcdVersion/ETCD/; s/CoreDNSVersion/COREDNS/; s/PauseVersion/PAUSE/; s/ //g')"
  for module in "coredns github.com/coredns/coredns $COREDNS" "etcd go.etcd.io/etcd/server/v3 v${ETCD%-*}" "etcdctl go.etcd.io/etcd/etcdctl/v3 v${ETCD%-*}" "etcdutl go.etcd.io/etcd/etcdutl/v3 v${ETCD%-*}"; do
    read -r name path version <<<"$module"
    doing "$path $version"
    mkdir "$root/$name" && cd "$root/$name"
    if [ "$version" = "$(pinned "$name")" ]; then
      cp "$here/offline/modules/$name"/* .
    else
      printf 'module kubemend/offline/%s\n\ngo 1.26.0\n\nrequire %s %s\n' "$name" "$path" "$version" >go.mod
      cp "$here/offline/modules/$name/tools.go" .
      go mod tidy
    fi
  done
  mv "$root" "$CACHE/modules/$K8S"
}

# --- Debian ---------------------------------------------------------------------------------------------------------------------

mirror() { # the one that this machine uses
  local url
  url=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
  [ -n "$url" ] || url=$(awk '$1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^https?:.*debian\/?$/) {print $i; exit}}' /etc/apt/sources.list 2>/dev/null | head -1)
  echo "${url:-http://deb.debian.org/debian}"
}

make_debian() { # make_debian KEY
  local archive=$CACHE/debian/$1.tar root
  if [ ! -f "$archive" ]; then
    root=$(mktemp -d "$CACHE/debian/root.XXXXXX")
    trap "rm -rf --one-file-system '$root'" EXIT
    doing "debootstrap $SUITE"
    debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$root" "$(mirror)"
    # As the published slim images: no documentation, and none later.
    cp "$here/offline/debian/dpkg-slim" "$root/etc/dpkg/dpkg.cfg.d/slim"
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    rm -rf "$root"/usr/share/{man,info,locale,lintian}/* "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log "$root"/var/log/apt
    tar -C "$root" --numeric-owner -cf "$archive.part" .
    mv "$archive.part" "$archive"
    find "$CACHE/debian" -name '*.tar' ! -name "$1.tar" -delete
  fi
  doing 'into Docker'
  docker import --change "LABEL $LABEL=$1" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'CMD ["bash"]' "$archive" "$DEBIAN"
}

# --- images ---------------------------------------------------------------------------------------------------------------------

copy() { mkdir -p "$2" && cp -l "$1" "$2/" 2>/dev/null || cp "$1" "$2/"; } # a hard link where the file system allows it

make_tools() { # make_tools KEY: one image with every program that the others take from
  local root name
  root=$(mktemp -d "$CACHE/tools.XXXXXX")
  trap "rm -rf '$root'" EXIT
  for name in kubernetes/kubectl kubernetes/agnhost etcdctl/etcdctl etcdutl/etcdutl helm/helm yq/yq hold/hold probe/probe registry/image-mirror; do
    copy "$(program_dir "${name%/*}")/${name#*/}" "$root/rootfs/usr/local/bin"
  done
  copy "$(program_dir cni)/bridge" "$root/rootfs/opt/cni/bin"
  mkdir -p "$root/rootfs/usr/local/share/man/man1"
  cp "$(program_dir kubernetes)"/man/*.1 "$(program_dir helm)"/man/*.1 "$root/rootfs/usr/local/share/man/man1/"
  printf 'FROM scratch\nCOPY rootfs/ /\n' >"$root/Dockerfile"
  build "$TOOLS" "$1" "$root"
}

storage_const() { awk -v name="$1" '$0 ~ "^const " name " = \"" {split($0, part, "\""); print part[2]}' "$(kind_source)/pkg/build/nodeimage/const_storage.go"; }
kind_source() { module_source kind sigs.k8s.io/kind; }

make_base() { # make_base KEY: kind's base image with this Kubernetes on it
  local root source name
  root=$(mktemp -d "$CACHE/base.XXXXXX")
  trap "rm -rf '$root'" EXIT
  source=$(kind_source)
  mkdir -p "$root"/{kind,bin,cni,kubernetes/kind/manifests}
  cp -r --no-preserve=mode,ownership "$source/images/base/files/." "$root/kind/"
  chmod 755 "$root"/kind/usr/local/bin/* "$root"/kind/kind/bin/*
  for name in containerd ctr containerd-shim-runc-v2; do copy "$(program_dir containerd)/$name" "$root/bin"; done
  copy "$(program_dir cri-tools)/crictl" "$root/bin"
  for name in bridge loopback ptp host-local portmap bandwidth firewall; do copy "$(program_dir cni)/$name" "$root/cni"; done
  for name in kubeadm kubelet kubectl; do copy "$(program_dir kubernetes)/$name" "$root/kubernetes/usr/bin"; done
  echo "$K8S" >"$root/kubernetes/kind/version"
  cp "$here/node/kube-flannel.yml" "$root/kubernetes/kind/manifests/default-cni.yaml"
  awk '/^const defaultStorageManifest = `/ {f = 1; next} /^`$/ {f = 0} f' "$source/pkg/build/nodeimage/const_storage.go" |
    sed "s#\` + storageProvisionerImage + \`#$(storage_const storageProvisionerImage)#; s#\` + storageHelperImage + \`#$(storage_const storageHelperImage)#" \
      >"$root/kubernetes/kind/manifests/default-storage.yaml"
  cp "$here/offline/base/Dockerfile" "$root/"
  build "$REPO/base:$K8S" "$1" "$root" "BASE_IMAGE=$DEBIAN"
}

# component NAME KEY BASE FILE:FOLDER... [-- DOCKERFILE-LINE...]: one image of a cluster's own, as $PRELOAD:NAME
component() {
  local name=$1 label=$2 base=$3 root
  shift 3
  doing "$name"
  root=$(mktemp -d "$CACHE/component.XXXXXX")
  printf 'FROM %s\nCOPY rootfs/ /\n' "$base" >"$root/Dockerfile"
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    copy "${1%%:*}" "$root/rootfs${1#*:}"
    shift
  done
  [ $# -eq 0 ] || { shift; printf '%s\n' "$@" >>"$root/Dockerfile"; }
  build "$PRELOAD:$name" "$label" "$root"
  rm -rf "$root"
}

make_components() { # make_components KEY
  local k8s static=$REPO/static:$SUITE net=$REPO/net:$SUITE busybox=$PRELOAD:busybox name line standin
  k8s=$(program_dir kubernetes)
  docker rmi "$(last_component)" >/dev/null 2>&1 || true # made last, so where it is all are
  doing 'base images'
  build "$static" "$1" "$here/offline/static" "BASE_IMAGE=$DEBIAN"
  build "$net" "$1" "$here/offline/net" "BASE_IMAGE=$DEBIAN"
  for name in busybox nginx agnhost; do
    doing "$name"
    build "$PRELOAD:$name" "$1" "$here/workloads/$name" "BASE_IMAGE=$DEBIAN" $([ "$name" != agnhost ] || echo "TOOLS_IMAGE=$TOOLS")
  done
  for name in kube-apiserver kube-controller-manager kube-scheduler; do component "$name" "$1" "$static" "$k8s/$name:/usr/local/bin"; done
  component kube-proxy "$1" "$net" "$k8s/kube-proxy:/usr/local/bin"
  component coredns "$1" "$static" "$(program_dir coredns)/coredns:/" -- 'ENTRYPOINT ["/coredns"]'
  component etcd "$1" "$static" "$(program_dir etcd)/etcd:/usr/local/bin" "$(program_dir etcdctl)/etcdctl:/usr/local/bin" "$(program_dir etcdutl)/etcdutl:/usr/local/bin"
  component pause "$1" scratch "$(program_dir pause)/pause:/" -- 'USER 65535:65535' 'ENTRYPOINT ["/pause"]'
  component local-path-provisioner "$1" "$static" "$(program_dir local-path-provisioner)/local-path-provisioner:/usr/bin" -- 'ENTRYPOINT ["local-path-provisioner"]'
  component flannel "$1" "$net" "$(program_dir flanneld)/flanneld:/opt/bin" -- 'ENTRYPOINT ["/opt/bin/flanneld"]'
  component flannel-cni-plugin "$1" "$busybox" "$(program_dir cni-flannel)/flannel:/"
  # One image per name that a stand-in answers to: with one for all, a cluster would show any of the names for it.
  while read -r standin line; do
    for name in $line; do
      printf 'FROM %s\nLABEL org.opencontainers.image.ref.name="%s"\n' "$PRELOAD:$standin" "$name" | docker build --quiet --label "$LABEL=$1" --tag "$PRELOAD:$(flat "$name")" -
    done
  done < <(workloads)
}
last_component() { echo "$PRELOAD:$(flat "$(workloads | tail -1 | awk '{print $NF}')")"; }
flat() { local name=${1##*/}; echo "${name//:/-}-as-named"; }

# Which image goes under which name. Runs when the programs are there, since kubeadm's constants name some of them.
preloaded() {
  local ETCD COREDNS PAUSE name line
  eval "$(cat "$(program_dir kubernetes)/versions")"
  for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do echo "$PRELOAD:$name=registry.k8s.io/$name:$K8S"; done
  echo "$PRELOAD:coredns=registry.k8s.io/coredns/coredns:$COREDNS"
  echo "$PRELOAD:etcd=registry.k8s.io/etcd:$ETCD"
  echo "$PRELOAD:pause=registry.k8s.io/pause:$PAUSE"
  # The name in kind's containerd configuration.
  name=$(sed -n 's/^ *sandbox_image = "\(.*\)"/\1/p' "$(kind_source)/images/base/files/etc/containerd/config.toml")
  [ "$name" = "registry.k8s.io/pause:$PAUSE" ] || echo "$PRELOAD:pause=$name"
  echo "$PRELOAD:local-path-provisioner=$(storage_const storageProvisionerImage)"
  echo "$PRELOAD:busybox=$(storage_const storageHelperImage)"
  for name in $(flannel_images); do
    case $name in *flannel-cni-plugin*) echo "$PRELOAD:flannel-cni-plugin=$name" ;; *) echo "$PRELOAD:flannel=$name" ;; esac
  done
  while read -r _ line; do for name in $line; do echo "$PRELOAD:$(flat "$name")=$name"; done; done < <(workloads)
}

make_loaded_node() { # make_loaded_node KEY
  local list pairs
  list=$(preloaded)
  mapfile -t pairs <<<"$list"
  make_node "$REPO/base:$K8S" "$1" "${pairs[@]}"
}

# The pins for coredns and etcd must be what the pinned Kubernetes wants.
check_pins() {
  local ETCD COREDNS PAUSE
  eval "$(cat "$(program_dir kubernetes)/versions")"
  [ "$K8S" != "$DEFAULT_K8S" ] || { [ "$(pinned coredns)" = "$COREDNS" ] && [ "$(pinned etcd)" = "v${ETCD%-*}" ]; } || {
    echo "Error: Kubernetes $K8S wants coredns $COREDNS and etcd $ETCD, but images/offline/modules pins coredns $(pinned coredns) and etcd $(pinned etcd); pin those"
    return 1
  }
}

put_tools() { # kind and kubectl for this machine
  local name
  for name in kind/kind kubernetes/kubectl; do
    cmp -s "$(program_dir "${name%/*}")/${name#*/}" "$CACHE/bin/${name#*/}" && continue
    cp "$(program_dir "${name%/*}")/${name#*/}" "$CACHE/bin/${name#*/}.new"
    mv "$CACHE/bin/${name#*/}.new" "$CACHE/bin/${name#*/}"
  done
}

main() {
  needs 'docker|apt-get install docker.io' 'go|https://go.dev/dl/, 1.21 or newer' 'debootstrap|apt-get install debootstrap'
  local name debian_key tools_key base_key components_key node_key workstation_key grader_key
  ARCH=$(go env GOARCH)
  GOVERSION=$(cd / && go env GOVERSION)
  if [ "$K8S" != "$DEFAULT_K8S" ]; then
    if [ -d "$CACHE/modules/$K8S" ]; then tell resolve "Modules of Kubernetes $K8S" cached "resolved earlier; go.sum computed, not pinned"; else
      tell resolve "Modules of Kubernetes $K8S" running "not the pinned $DEFAULT_K8S: go.sum is computed now, by the checksum database where it is reached"
      step resolve "Modules of Kubernetes $K8S" resolve
    fi
  fi
  for name in "${ORDER[@]}"; do KEY[$name]=$(program_key "$name"); done
  # Each image by what it takes, no more: a new probe is no new node, and proofs are kept by the node's digest.
  debian_key=$(key debian "$SUITE" "$ARCH" "$here/offline/debian")
  tools_key=$(key tools "$K8S" "$(keys kubernetes etcdctl etcdutl helm yq cni hold probe registry)")
  base_key=$(key base "$K8S" "$debian_key" "$(keys kubernetes containerd cri-tools cni kind)" "$here/offline/base" "$here/node/kube-flannel.yml")
  components_key=$(key components "$K8S" "$debian_key" "$(keys kubernetes coredns etcd etcdctl etcdutl local-path-provisioner flanneld cni-flannel pause)" \
    "$here/offline/static" "$here/offline/net" "$here/workloads" "$(declare -f component make_components)")
  node_key=$(key node "$base_key" "$components_key" "$(keys etcdctl etcdutl cni hold registry)" "$here/node" "$here/preload.sh" "$(declare -f make_node preloaded)")
  workstation_key=$(key workstation "$debian_key" "$(keys kubernetes helm yq hold)" "$here/workstation")
  grader_key=$(key grader "${KEY[probe]}" "$here/grader")

  # Programs first: kind and kubectl are results too, and the node's images are named by what is in them.
  for name in "${ORDER[@]}"; do
    if [ -d "$(program_dir "$name")" ]; then tell "go-$name" "Build $name" cached; else step "go-$name" "Build $name" make_program "$name"; fi
  done
  step pins "Versions fit each other" check_pins
  put_tools
  if fresh "$GRADER" "$grader_key" && fresh "$WORKSTATION" "$workstation_key" && fresh "$NODE" "$node_key"; then
    tell images "Images of node, workstation and grader" cached
    return
  fi
  if fresh "$DEBIAN" "$debian_key"; then tell debian "Debian $SUITE" cached; else
    [ -f "$CACHE/debian/$debian_key.tar" ] || [ "$(id -u)" = 0 ] || stop debian "Debian $SUITE" "debootstrap needs root; run this once as root (sudo -E bash images/build.sh --offline)"
    step debian "Debian $SUITE" make_debian "$debian_key"; fi
  if fresh "$TOOLS" "$tools_key"; then tell tools "Programs as an image" cached; else step tools "Programs as an image" make_tools "$tools_key"; fi
  if fresh "$GRADER" "$grader_key"; then tell grader "Image of the grader" cached; else
    step grader "Image of the grader" build "$GRADER" "$grader_key" "$here/grader" "TOOLS_IMAGE=$TOOLS"; fi
  if fresh "$WORKSTATION" "$workstation_key"; then tell workstation "Image of the workstation" cached; else
    step workstation "Image of the workstation" build "$WORKSTATION" "$workstation_key" "$here/workstation" "BASE_IMAGE=$DEBIAN" "TOOLS_IMAGE=$TOOLS"; fi
  if fresh "$NODE" "$node_key"; then tell node "Image of the node" cached; return; fi
  if fresh "$REPO/base:$K8S" "$base_key"; then tell base "kind's base" cached; else step base "kind's base" make_base "$base_key"; fi
  if fresh "$(last_component)" "$components_key"; then tell components "Images of the cluster's components" cached; else
    step components "Images of the cluster's components" make_components "$components_key"; fi
  step node "Image of the node" make_loaded_node "$node_key"
}
