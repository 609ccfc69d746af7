# Completion for kubectl and its alias, in login shells and others (/etc/bash.bashrc reads this too).
if [ -n "$BASH_VERSION" ] && [ -n "$PS1" ]; then
  if ! declare -F _init_completion >/dev/null && [ -r /usr/share/bash-completion/bash_completion ]; then
    . /usr/share/bash-completion/bash_completion
  fi
  if [ -r /usr/share/bash-completion/completions/kubectl ]; then
    . /usr/share/bash-completion/completions/kubectl
    alias k=kubectl
    complete -o default -F __start_kubectl k
  fi
fi
# On a control plane root talks to the cluster as its administrator.
if [ -z "$KUBECONFIG" ] && [ ! -e "$HOME/.kube/config" ] && [ -r /etc/kubernetes/admin.conf ]; then
  export KUBECONFIG=/etc/kubernetes/admin.conf
fi
