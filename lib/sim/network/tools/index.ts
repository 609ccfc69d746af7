// The network's tools by the name under which they are called.
import type { Tool } from '../../process.ts'
import type { SimNetwork } from '../network.ts'
import { iptables, iptablesRestore, iptablesSave, nft } from './firewall.ts'
import { arp, bridgeTool, ipTool, routeTool } from './links.ts'
import { dig, getent, host, hostname, nslookup } from './names.ts'
import { nc, ping, tcpdump, traceroute } from './reach.ts'
import { conntrack, netstat, ss, sysctl } from './sockets.ts'
import { curl, wget } from './web.ts'

/** For every machine and container of one lab; containers with no shell are given none of them. */
export function tools(network: SimNetwork): Readonly<Record<string, Tool>> {
  return {
    arp,
    bridge: bridgeTool,
    conntrack,
    curl: curl(network),
    dig: dig(network),
    getent: getent(network),
    host: host(network),
    hostname,
    ip: ipTool(network),
    ip6tables: iptables,
    'ip6tables-restore': iptablesRestore,
    'ip6tables-save': iptablesSave,
    iptables,
    'iptables-nft': iptables,
    'iptables-nft-save': iptablesSave,
    'iptables-restore': iptablesRestore,
    'iptables-save': iptablesSave,
    nc: nc(network),
    netstat,
    nft,
    nslookup: nslookup(network),
    ping: ping(network),
    route: routeTool,
    ss,
    sysctl,
    tcpdump,
    traceroute: traceroute(network),
    wget: wget(network),
  }
}
