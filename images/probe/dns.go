// A DNS client with the rules of resolv.conf(5): nameserver, search, ndots; its own so that no hosts file, no cache and no
// nsswitch come into it, and so that each way of failing is told apart.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

type resolver struct {
	servers []string
	search  []string
	ndots   int
}

// parseResolvConf reads what resolv.conf says; with no nameserver the C library asks 127.0.0.1, and so do we.
func parseResolvConf(text []byte) resolver {
	c := resolver{ndots: 1}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 2 || strings.HasPrefix(f[0], "#") || strings.HasPrefix(f[0], ";") {
			continue
		}
		switch f[0] {
		case "nameserver":
			if len(c.servers) < 3 {
				c.servers = append(c.servers, f[1])
			}
		case "search", "domain":
			c.search = f[1:]
		case "options":
			for _, o := range f[1:] {
				if n, ok := strings.CutPrefix(o, "ndots:"); ok {
					if n, err := strconv.Atoi(n); err == nil && n >= 0 {
						c.ndots = min(n, 15)
					}
				}
			}
		}
	}
	if len(c.servers) == 0 {
		c.servers = []string{"127.0.0.1"}
	}
	return c
}

// names gives what to ask for, in order: resolv.conf's search list first for names with fewer dots than ndots.
func (c resolver) names(name string) []string {
	if strings.HasSuffix(name, ".") {
		return []string{name}
	}
	var searched []string
	for _, domain := range c.search {
		searched = append(searched, name+"."+strings.TrimSuffix(domain, ".")+".")
	}
	if strings.Count(name, ".") >= c.ndots {
		return append([]string{name + "."}, searched...)
	}
	return append(searched, name+".")
}

func lookDNS(ctx context.Context, r request) (answer, error) {
	if r.Type != "" && !strings.EqualFold(r.Type, "A") && !strings.EqualFold(r.Type, "AAAA") {
		return nil, missing("bad-request", "type must be A or AAAA, not %q", r.Type)
	}
	if r.Protocol != "" && r.Protocol != "udp" && r.Protocol != "tcp" {
		return nil, missing("bad-request", "protocol must be udp or tcp, not %q", r.Protocol)
	}
	return resolve(ctx, r, r.Name)
}

// resolve asks for a name as the C library would: a server that does not answer, or a name that exists without such a record,
// ends neither the list of servers nor that of names.
func resolve(ctx context.Context, r request, name string) (answer, error) {
	c := resolver{ndots: 1, servers: []string{r.Server}}
	text := []byte{}
	f, _, err := regular(r.Roots, "/etc/resolv.conf")
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(f, 64<<10))
		f.Close()
	}
	if err == nil {
		c = parseResolvConf(text)
	} else if r.Server == "" {
		c.servers = []string{"127.0.0.1"}
	}
	if r.Server != "" {
		c.servers = []string{r.Server}
	}
	port := 53
	if r.Op == "dns" && r.Port != 0 {
		port = r.Port
	}
	kind := dnsmessage.TypeA
	if strings.EqualFold(r.Type, "AAAA") {
		kind = dnsmessage.TypeAAAA
	}
	var verdict answer
	for _, candidate := range c.names(name) {
		got, err := ask(ctx, c.servers, port, candidate, kind, r.Op == "dns" && r.Protocol == "tcp")
		if err != nil {
			return nil, err
		}
		if verdict == nil || rank[got["outcome"].(string)] > rank[verdict["outcome"].(string)] {
			verdict = got
		}
		switch got["outcome"] {
		case "answered", "timeout", "refused", "unreachable":
			return got, nil
		}
	}
	return verdict, nil
}

// rank: which of several unsuccessful answers is told, as res_search(3) has it.
var rank = map[string]int{"nxdomain": 1, "servfail": 2, "no-data": 3}

// ask puts one question to the servers in turn; each gets its share of the time that is left, and over UDP is asked twice.
func ask(ctx context.Context, servers []string, port int, name string, kind dnsmessage.Type, tcp bool) (answer, error) {
	question, id, err := question(name, kind)
	if err != nil {
		return nil, missing("bad-request", "%q cannot be a DNS name: %v", name, err)
	}
	var last answer
	for i, server := range servers {
		deadline, _ := ctx.Deadline()
		share := time.Until(deadline) / time.Duration(len(servers)-i)
		within, cancel := context.WithTimeout(ctx, share)
		reply, err := exchange(within, net.JoinHostPort(server, strconv.Itoa(port)), question, id, tcp)
		cancel()
		if err != nil {
			outcome := outcomeOf(err)
			if outcome == "" {
				if _, bad := netip.ParseAddr(server); bad == nil {
					return nil, fmt.Errorf("DNS at %s: %w", server, err)
				}
				outcome = "unreachable" // resolv.conf names something that is no address
			}
			last = answer{"outcome": outcome, "addresses": []string{}, "server": server, "name": name, "rcode": "", "detail": fmt.Sprintf("%s at %s: %s", name, server, outcome)}
			continue
		}
		last = interpret(reply, kind)
		last["server"], last["name"] = server, name
		last["detail"] = fmt.Sprintf("%s at %s: %v %s", name, server, last["outcome"], strings.Join(last["addresses"].([]string), " "))
		if last["outcome"] != "servfail" && last["outcome"] != "refused" { // those are asked of the next server, as the C library does
			return last, nil
		}
	}
	return last, nil
}

func question(name string, kind dnsmessage.Type) ([]byte, uint16, error) {
	n, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, 0, err
	}
	id := uint16(rand.Uint32())
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id, RecursionDesired: true}, Questions: []dnsmessage.Question{{Name: n, Type: kind, Class: dnsmessage.ClassINET}}}
	packed, err := m.Pack()
	return packed, id, err
}

func interpret(m dnsmessage.Message, kind dnsmessage.Type) answer {
	found := []string{}
	for _, record := range m.Answers {
		switch body := record.Body.(type) {
		case *dnsmessage.AResource:
			if kind == dnsmessage.TypeA {
				found = append(found, netip.AddrFrom4(body.A).String())
			}
		case *dnsmessage.AAAAResource:
			if kind == dnsmessage.TypeAAAA {
				found = append(found, netip.AddrFrom16(body.AAAA).String())
			}
		}
	}
	outcome := "servfail"
	switch {
	case m.RCode == dnsmessage.RCodeSuccess && len(found) > 0:
		outcome = "answered"
	case m.RCode == dnsmessage.RCodeSuccess:
		outcome = "no-data"
	case m.RCode == dnsmessage.RCodeNameError:
		outcome = "nxdomain"
	case m.RCode == dnsmessage.RCodeRefused:
		outcome = "refused"
	}
	return answer{"outcome": outcome, "addresses": found, "rcode": strings.TrimPrefix(m.RCode.String(), "RCode")}
}

// exchange asks one server once (twice over UDP, datagrams get lost) and takes the first reply that fits the question.
func exchange(ctx context.Context, server string, question []byte, id uint16, tcp bool) (dnsmessage.Message, error) {
	var m dnsmessage.Message
	deadline, _ := ctx.Deadline()
	if tcp {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", server)
		if err != nil {
			return m, err
		}
		defer conn.Close()
		conn.SetDeadline(deadline)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(question))), question...)); err != nil {
			return m, err
		}
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return m, err
		}
		reply := make([]byte, binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(conn, reply); err != nil {
			return m, err
		}
		return m, m.Unpack(reply)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", server)
	if err != nil {
		return m, err
	}
	defer conn.Close()
	buffer := make([]byte, 64<<10)
	half := time.Now().Add(time.Until(deadline) / 2)
	for _, until := range []time.Time{half, deadline} {
		conn.SetDeadline(until)
		if _, err = conn.Write(question); err != nil {
			return m, err
		}
		for {
			var n int
			if n, err = conn.Read(buffer); err != nil {
				break
			}
			if m.Unpack(buffer[:n]) == nil && m.ID == id && m.Response {
				if m.Truncated {
					return exchange(ctx, server, question, id, true)
				}
				return m, nil
			}
		}
		if slow, ok := err.(net.Error); !ok || !slow.Timeout() {
			return m, err
		}
	}
	return m, err
}
