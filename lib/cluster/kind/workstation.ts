// The learner's workstation: a container on the cluster's network with kubectl's credentials and a real ssh key that every node accepts.
// It has no Docker socket, no privilege and no more capabilities than sudo and ping need. Knows nothing of shells or grading.
import { LabError } from '#lib/protocol/index.ts'
import type { ExecOptions } from '../port.ts'
import type { Docker } from './docker.ts'
import type { Machine } from './machines.ts'
import { label } from './names.ts'

const learner = 'candidate'
const home = `/home/${learner}`
/** sudo (SETUID, SETGID, AUDIT_WRITE, and the file ones for what it then does), ping and traceroute (NET_RAW), kill of others' processes */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETUID', 'SETGID', 'KILL', 'NET_RAW', 'NET_BIND_SERVICE', 'AUDIT_WRITE']

/** Creates and starts the container. @returns its id */
export async function createWorkstation(docker: Docker, owner: string, cluster: string, image: string): Promise<string> {
  const container = await docker.ask('create the workstation', (api) =>
    api.createContainer({
      name: `${cluster}-workstation`,
      Image: image,
      Hostname: 'workstation',
      Labels: { [label.owner]: owner, [label.cluster]: cluster, [label.role]: 'workstation' },
      HostConfig: {
        NetworkMode: cluster,
        Init: true,
        Memory: 768 * 1024 * 1024,
        PidsLimit: 512,
        CapDrop: ['ALL'],
        CapAdd: capabilities,
        RestartPolicy: { Name: 'unless-stopped' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      },
    }),
  )
  await docker.ask('start the workstation', () => container.start())
  return container.id
}

async function must(
  docker: Docker,
  machine: Pick<Machine, 'container' | 'name'>,
  script: string,
  what: string,
  options: ExecOptions = {},
): Promise<string> {
  const result = await docker.exec(machine.container, ['bash', '-euc', script], options)
  if (result.exitCode === 0) return result.stdout
  throw new LabError(
    'internal',
    `On ${machine.name}, ${what} failed: ${(result.stderr || result.stdout).trim().split('\n').slice(-3).join(' ')}`,
  )
}

/** names that a place answers to, real name first */
export const namesOf = (machine: Machine): string[] => [machine.name, machine.place]

/** kubectl's configuration in the learner's home, as kubeadm left it for administrators. */
export async function giveKubeconfig(docker: Docker, workstation: Machine, controlPlane: Machine, signal: AbortSignal): Promise<void> {
  const config = await must(docker, controlPlane, 'cat /etc/kubernetes/admin.conf', 'reading the administrator’s kubeconfig', {
    user: 'root',
    signal,
  })
  await must(
    docker,
    workstation,
    `install -d -m 0750 -o ${learner} -g ${learner} ${home}/.kube && install -m 0600 -o ${learner} -g ${learner} /dev/stdin ${home}/.kube/config`,
    'writing the kubeconfig',
    { user: 'root', stdin: config, signal },
  )
}

/** The names of the nodes in the workstation's hosts file, in place of those written before. */
export async function writeHosts(docker: Docker, workstation: Machine, nodes: readonly Machine[]): Promise<void> {
  const lines = nodes.map((node) => `${node.address}\t${namesOf(node).join(' ')}`).join('\n')
  // Docker mounts the file, so it is written in place; the kept part is what Docker itself put there.
  await must(
    docker,
    workstation,
    `kept=$(grep -vE '\\s${nodes[0]?.name.replace(/-control-plane$/, '')}-(control-plane|worker[0-9]*)(\\s|$)' /etc/hosts || true); { printf '%s\\n' "$kept"; cat; } > /etc/hosts`,
    'writing /etc/hosts',
    {
      user: 'root',
      stdin: `${lines}\n`,
    },
  )
}

/** A key pair of the workstation's own, accepted by every node, and every node's host key known: ssh asks nothing. */
export async function giveSsh(docker: Docker, workstation: Machine, nodes: readonly Machine[], signal: AbortSignal): Promise<void> {
  const publicKey = await must(
    docker,
    workstation,
    `install -d -m 0700 ${home}/.ssh && ssh-keygen -q -t ed25519 -N '' -C ${learner}@workstation -f ${home}/.ssh/id_ed25519 <<<y >/dev/null && cat ${home}/.ssh/id_ed25519.pub`,
    'making the ssh key',
    { user: learner, signal },
  )
  const hostKeys = await Promise.all(
    nodes.map(async (node) => {
      const keys = await must(
        docker,
        node,
        `install -d -m 0700 -o ${learner} -g ${learner} ${home}/.ssh && install -m 0600 -o ${learner} -g ${learner} /dev/stdin ${home}/.ssh/authorized_keys && cat /etc/ssh/ssh_host_*_key.pub`,
        'admitting the workstation’s ssh key',
        { user: 'root', stdin: publicKey, signal },
      )
      return keys.split('\n').flatMap((line) => {
        const [type, key] = line.split(' ')
        return type && key ? [`${[...namesOf(node), node.address].join(',')} ${type} ${key}`] : []
      })
    }),
  )
  const config = nodes.map((node) => `Host ${node.place}\n  HostName ${node.name}\n`).join('')
  await must(docker, workstation, `umask 077; cat > ${home}/.ssh/known_hosts`, 'writing known_hosts', {
    user: learner,
    stdin: `${hostKeys.flat().join('\n')}\n`,
    signal,
  })
  await must(docker, workstation, `umask 077; cat > ${home}/.ssh/config`, 'writing the ssh configuration', {
    user: learner,
    stdin: `${config}Host *\n  User ${learner}\n`,
    signal,
  })
}
