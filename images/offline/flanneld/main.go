// flanneld for clusters made without a registry: flannel's own libraries behind a main of ours, because flannel's main package
// also imports a cloud's client library that module proxies do not carry. It does what the manifest beside it asks for (subnets
// from the Kubernetes API, VXLAN or host-gw, masquerading by iptables) and has no other option.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw"
	_ "github.com/flannel-io/flannel/pkg/backend/vxlan"
	"github.com/flannel-io/flannel/pkg/ip"
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
	"github.com/flannel-io/flannel/pkg/trafficmngr/iptables"
	"k8s.io/klog/v2"
)

const (
	annotations = "flannel.alpha.coreos.com"
	netConf     = "/etc/kube-flannel/net-conf.json"
	subnetFile  = "/run/flannel/subnet.env"
	resync      = 5 // seconds between two looks at the iptables rules
)

func main() {
	masquerade := flag.Bool("ip-masq", false, "masquerade traffic that leaves the overlay")
	fromAPI := flag.Bool("kube-subnet-mgr", false, "take subnets from the Kubernetes API; the only way this build knows")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if !*fromAPI {
		fmt.Fprintln(os.Stderr, "flanneld: this build knows --kube-subnet-mgr only")
		os.Exit(2)
	}
	if err := run(ctx, *masquerade); err != nil && ctx.Err() == nil {
		klog.Fatal(err)
	}
}

func run(ctx context.Context, masquerade bool) error {
	subnets, err := kube.NewSubnetManager(ctx, "", "", annotations, netConf, true)
	if err != nil {
		return fmt.Errorf("cannot reach the Kubernetes API for subnets: %w", err)
	}
	config, err := subnets.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", netConf, err)
	}
	family, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return err
	}
	external, err := ipmatch.LookupExtIface("", "", "", family, ipmatch.PublicIPOpts{})
	if err != nil {
		return fmt.Errorf("no interface to the other nodes: %w", err)
	}
	kind, err := backend.NewManager(ctx, subnets, external).GetBackend(config.BackendType)
	if err != nil {
		return fmt.Errorf("backend %q: %w", config.BackendType, err)
	}
	var running sync.WaitGroup
	network, err := kind.RegisterNetwork(ctx, &running, config)
	if err != nil {
		return fmt.Errorf("cannot register with the network: %w", err)
	}
	lease := network.Lease()
	rules := &iptables.IPTablesManager{}
	if err := rules.Init(ctx); err != nil {
		return fmt.Errorf("iptables: %w", err)
	}
	if masquerade {
		err := rules.SetupAndEnsureMasqRules(ctx, config.Network, ip.IP4Net{}, ip.IP4Net{}, config.IPv6Network, ip.IP6Net{}, ip.IP6Net{}, lease, resync, false)
		if err != nil {
			return fmt.Errorf("cannot set up masquerading: %w", err)
		}
	}
	rules.SetupAndEnsureForwardRules(ctx, config.Network, config.IPv6Network, resync)
	if err := subnets.HandleSubnetFile(subnetFile, config, masquerade, lease.Subnet, lease.IPv6Subnet, network.MTU()); err != nil {
		return fmt.Errorf("cannot write %s: %w", subnetFile, err)
	}
	klog.Infof("Running backend %s, subnet %s.", config.BackendType, lease.Subnet)
	go func() {
		if err := subnets.CompleteLease(ctx, lease, &running); err != nil && ctx.Err() == nil {
			klog.Error("cannot complete the lease: ", err)
		}
	}()
	network.Run(ctx)
	running.Wait()
	return nil
}
