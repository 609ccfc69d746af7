// TCP, UDP and HTTP as seen from the network namespace that this process is in. Names are resolved by DNS (dns.go), never by a
// hosts file; no proxy, no redirect is followed, and a certificate is not judged.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const maxBody = 4 << 10

// outcomeOf names a failed connection in the words of the answers; "" means that we failed ourselves.
func outcomeOf(err error) string {
	var slow net.Error
	switch {
	case err == nil:
		return "open"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "timeout"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ENETDOWN),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EINVAL):
		return "unreachable" // EPERM: a firewall on the way out
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "refused" // taken, then dropped without a word
	case errors.As(err, &slow) && slow.Timeout():
		return "timeout"
	}
	return ""
}

// addresses gives the IPv4 addresses of a host; a failed look-up is an answer of its own.
func addresses(ctx context.Context, r request, host string) ([]string, answer, error) {
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return []string{ip.String()}, nil, nil
	}
	found, err := resolve(ctx, r, host)
	if err != nil {
		return nil, nil, err
	}
	if found["outcome"] != "answered" {
		return nil, answer{"outcome": "dns-failed", "addresses": []string{}, "dns": found, "detail": fmt.Sprintf("%s: DNS %v", host, found["detail"])}, nil
	}
	return found["addresses"].([]string), nil, nil
}

func lookTCP(ctx context.Context, r request) (answer, error) {
	all, failed, err := addresses(ctx, r, r.Host)
	if failed != nil || err != nil {
		return failed, err
	}
	target := net.JoinHostPort(all[0], strconv.Itoa(r.Port))
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	outcome := outcomeOf(err)
	if outcome == "" {
		return nil, err
	}
	if conn != nil {
		conn.Close()
	}
	return answer{"outcome": outcome, "address": all[0], "addresses": all, "detail": "tcp " + target + ": " + outcome}, nil
}

// lookUDP sends one datagram and waits for one. Silence is a timeout: with UDP nobody can tell it from an open port.
func lookUDP(ctx context.Context, r request) (answer, error) {
	all, failed, err := addresses(ctx, r, r.Host)
	if failed != nil || err != nil {
		return failed, err
	}
	target := net.JoinHostPort(all[0], strconv.Itoa(r.Port))
	a := answer{"address": all[0], "addresses": all}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", target)
	var got []byte
	if err == nil {
		defer conn.Close()
		deadline, _ := ctx.Deadline()
		conn.SetDeadline(deadline)
		if len(r.Payload) == 0 {
			r.Payload = []byte("\n")
		}
		if _, err = conn.Write(r.Payload); err == nil {
			buffer := make([]byte, maxBody)
			var n int
			n, err = conn.Read(buffer)
			got = buffer[:n]
		}
	}
	outcome := outcomeOf(err)
	if outcome == "" {
		return nil, err
	}
	if outcome == "open" {
		outcome = "answered"
		a["payload"] = got
		a["body"] = strings.ToValidUTF8(string(got), "\uFFFD")
	}
	a["outcome"], a["detail"] = outcome, "udp "+target+": "+outcome
	return a, nil
}

func lookHTTP(ctx context.Context, r request) (answer, error) {
	u, err := url.Parse(r.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, missing("bad-request", "url %q is not one of http or https", r.URL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	all, failed, err := addresses(ctx, r, u.Hostname())
	if failed != nil || err != nil {
		return failed, err
	}
	target := net.JoinHostPort(all[0], port)
	method := strings.ToUpper(r.Method)
	if method == "" {
		method = http.MethodGet
	}
	asked, err := http.NewRequestWithContext(ctx, method, r.URL, nil)
	if err != nil {
		return nil, missing("bad-request", "method %q: %v", r.Method, err)
	}
	asked.Header.Set("User-Agent", "curl/8.14.1") // nothing in a server's log says who looks
	asked.Header.Set("Accept", "*/*")
	if r.Host != "" {
		asked.Host = r.Host
	}
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:             nil,
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, target)
			},
		},
	}
	a := answer{"address": all[0], "addresses": all}
	response, err := client.Do(asked)
	if err != nil {
		outcome := outcomeOf(err)
		if outcome == "" { // an answer came that is not HTTP, or not TLS
			outcome = "refused"
		}
		a["outcome"], a["detail"] = outcome, fmt.Sprintf("%s %s at %s: %s (%v)", method, r.URL, target, outcome, errors.Unwrap(err))
		return a, nil
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxBody)) // what came counts, also when the rest does not come
	a["outcome"], a["status"], a["body"] = "answered", response.StatusCode, strings.ToValidUTF8(string(body), "\uFFFD")
	a["location"] = response.Header.Get("Location")
	a["detail"] = fmt.Sprintf("%s %s at %s: %s", method, r.URL, target, response.Status)
	return a, nil
}
