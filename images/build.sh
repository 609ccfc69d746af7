#!/usr/bin/env bash
# Builds the images of node, workstation and grader, on public images or from Go modules and Debian packages alone. Every result
# is kept under a key made of what went into it, outside the checkout (programs and file systems in the cache folder, images in
# Docker), so a second run does only what has changed and an interrupted one goes on where it stopped. Installs nothing on the machine.
# It does not know what the images are used for. The steps of the way without a registry are in offline/steps.sh.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'END'
Usage: images/build.sh [--online | --offline] [--json]

  --online    on public images (kindest/node, debian, golang and the workloads)
  --offline   with no container registry: from Go modules and Debian packages
  neither     --online where Docker Hub is reached, else --offline
  --json      progress as JSON lines {step, title, state, detail, seconds} on standard output;
              state is running, done, cached or failed; the same is on standard error for people

Settings: KUBEMEND_KUBERNETES (default v1.35.4), KUBEMEND_CACHE (default ~/.cache/kubemend), KUBEMEND_IMAGE_REPOSITORY (default
kubemend; another one keeps a trial run apart).
Results: kubemend/node, kubemend/workstation and kubemend/grader with that version as their tag; without a registry also kind and
kubectl in the cache's bin/.
END
}

mode='' json=''
for argument in "$@"; do
  case $argument in
    --online | --offline) mode=${argument#--} ;;
    --json) json=1 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "build.sh: unknown argument $argument" >&2; usage >&2; exit 2 ;;
  esac
done

K8S=${KUBEMEND_KUBERNETES:-v1.35.4}
if ! [[ $K8S =~ ^v1\.[0-9]{1,3}\.[0-9]{1,3}$ ]]; then
  echo "build.sh: KUBEMEND_KUBERNETES is \"$K8S\", which is not a full Kubernetes version; write it like v1.35.4." >&2
  exit 2
fi
CACHE=${KUBEMEND_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/kubemend}
mkdir -p "$CACHE"/{logs,bin,go,debian}
CACHE=$(cd "$CACHE" && pwd)
LABEL=org.kubemend.key
exec 3>&1 4>&2 # progress goes here, whatever a step does with its own output

# --- progress -------------------------------------------------------------------------------------------------------------------

quote() { # a JSON string
  local s=${1//\\/\\\\}
  s=${s//\"/\\\"}
  s=${s//$'\t'/ }
  s=${s//$'\n'/ }
  printf '"%s"' "$(printf '%s' "$s" | tr -d '\000-\037')"
}

tell() { # tell STEP TITLE STATE [DETAIL] [SECONDS]
  printf 'step %s %s%s\n' "$1" "$3" "${4:+ $4}" >&4
  [ -z "$json" ] || printf '{"step":%s,"title":%s,"state":"%s","detail":%s,"seconds":%s}\n' "$(quote "$1")" "$(quote "$2")" "$3" "$(quote "${4:-}")" "${5:-0}" >&3
}

stop() { # stop STEP TITLE WHAT: a failure that a person can mend
  tell "$1" "$2" failed "$3"
  exit 1
}

CURRENT='' CURRENT_TITLE=''
doing() { tell "$CURRENT" "$CURRENT_TITLE" running "$1"; } # from inside a step: what it is at

step() { # step ID TITLE COMMAND...: runs it with its output in a log; a failure ends the build
  CURRENT=$1 CURRENT_TITLE=$2
  local log=$CACHE/logs/${1//[^a-z0-9-]/-}.log began=$SECONDS code=0
  shift 2
  tell "$CURRENT" "$CURRENT_TITLE" running
  set +e
  (set -euo pipefail; "$@") >"$log" 2>&1 # not in a condition: there, set -e would not hold
  code=$?
  set -e
  if [ $code -ne 0 ]; then
    tell "$CURRENT" "$CURRENT_TITLE" failed "$(reason "$log") (log: $log)" $((SECONDS - began))
    { echo "--- the end of $log"; tail -n 25 "$log"; } >&4
    exit 1
  fi
  tell "$CURRENT" "$CURRENT_TITLE" done "" $((SECONDS - began))
}

reason() { # the line of a log that says most
  local line
  line=$(grep -saE '403 Forbidden|410 Gone|[Nn]o space left|[Cc]annot connect to the Docker daemon|Temporary failure|x509: |no such host|i/o timeout|permission denied|^E: |[Ee]rror' "$1" | tail -n 1 || true)
  [ -n "$line" ] || line=$(grep -av '^ *$' "$1" | tail -n 1 || true)
  printf '%s' "${line:-it ended without a word}" | cut -c1-300
}

# --- keys -----------------------------------------------------------------------------------------------------------------------

key() { # key STRING-OR-PATH...: a hash of strings, and of what absolute paths lead to: contents, in folders names and modes too
  local item
  for item in "$@"; do
    if [[ $item != /* ]]; then
      printf '%s\n' "$item"
    elif [ -d "$item" ]; then
      (cd "$item" && find . -type f ! -name '*_test.go' -printf '%m ' -print0 | LC_ALL=C sort -z | tr '\0' '\n'
        find . -type f ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum)
    else
      sha256sum <"$item"
    fi
  done | sha256sum | cut -c1-16
}

fresh() { # fresh TAG KEY: Docker has that image, made of that
  [ "$(docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null)" = "$2" ]
}

build() { # build TAG KEY CONTEXT [BUILD-ARG...]
  local tag=$1 label=$2 context=$3 argument arguments=()
  shift 3
  for argument in "$@"; do arguments+=(--build-arg "$argument"); done
  docker build --quiet --label "$LABEL=$label" --tag "$tag" "${arguments[@]}" "$context"
}

# --- what is needed -------------------------------------------------------------------------------------------------------------

needs() { # needs "PROGRAM|how to get it"...: says everything that is missing at once
  local entry missing=''
  for entry in "$@"; do
    command -v "${entry%%|*}" >/dev/null 2>&1 || missing+="${missing:+; }${entry%%|*} (${entry#*|})"
  done
  [ -z "$missing" ] || stop needs 'What the build needs' "missing: $missing"
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    stop needs 'What the build needs' 'Docker does not answer: start it, and run this as root or as a member of the group docker'
  # The classic builder where there is no buildx.
  if [ -z "${DOCKER_BUILDKIT:-}" ] && ! docker buildx version >/dev/null 2>&1; then export DOCKER_BUILDKIT=0; fi
  local free
  free=$(df -Pm "$CACHE" | awk 'NR==2 {print $4}')
  [ "$free" -ge 6000 ] || stop needs 'What the build needs' "only $free MiB are free where $CACHE is; 6000 are needed (20000 the first time without a registry)"
}

PATH=$PATH:/usr/sbin:/sbin # debootstrap, for those whose PATH leaves these out

exec 9>"$CACHE/build.lock"
flock -n 9 || stop lock 'One build at a time' "another build runs in $CACHE; wait for it"

if [ -z "$mode" ]; then
  needs 'curl|apt-get install curl'
  case $(curl -s -o /dev/null -m 4 -w '%{http_code}' https://registry-1.docker.io/v2/ || true) in
    200 | 401) mode=online ;;
    *) mode=offline ;;
  esac
fi

# --- steps that both ways share -------------------------------------------------------------------------------------------------

REPO=${KUBEMEND_IMAGE_REPOSITORY:-kubemend}
NODE=$REPO/node:$K8S WORKSTATION=$REPO/workstation:$K8S GRADER=$REPO/grader:$K8S TOOLS=$REPO/tools:$K8S

# "kind name" for every image that nodes get beside those of Kubernetes: flannel's as its manifest names them, and the workloads.
flannel_images() { sed -n 's/^ *image: *//p' "$here/node/kube-flannel.yml" | sort -u; }
workloads() { grep -v '^#' "$here/workloads/list"; }

preload() { # preload FROM TO KEY IMAGE=NAME...
  bash "$here/preload.sh" "$1" "$2" "$LABEL=$3" "${@:4}"
}

make_node() { # the layer of tools, then the preloaded images: make_node BASE KEY IMAGE=NAME...
  doing 'the layer of tools'
  build "$REPO/node-unloaded:$K8S" "$2" "$here/node" "BASE_IMAGE=$1" "TOOLS_IMAGE=$TOOLS"
  doing 'loading images into it'
  preload "$REPO/node-unloaded:$K8S" "$NODE" "$2" "${@:3}"
  docker rmi "$REPO/node-unloaded:$K8S" >/dev/null 2>&1 || true
}

# Images that a newer one has replaced, of those that this builder labels; what a container still uses stays.
sweep() {
  docker images --quiet --filter dangling=true --filter "label=$LABEL" | sort -u | xargs -r docker rmi >/dev/null 2>&1 || true
}

# shellcheck source=offline/steps.sh
source "$here/$mode/steps.sh"

# In one function, so that a checkout that changes below a running build does not change what it does.
all() {
  main
  sweep
  tell all "All images for Kubernetes $K8S" 'done' "$NODE, $WORKSTATION, $GRADER" "$SECONDS"
  exit
}
all
