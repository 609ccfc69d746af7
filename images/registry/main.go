// A small read-only image registry that runs on every node, so that an image which the node already has can be "pulled" with no
// network: `kubectl run tmp --image=busybox` means :latest, which means imagePullPolicy Always. It speaks the pull half of the
// OCI distribution specification over a directory of blobs and an index of names; systemd starts it on the first connection and
// it leaves when idle. It knows nothing of containerd beyond where its blobs are when `collect` links them.
//
//	registry serve --dir DIR [--idle DURATION]     on systemd's socket, or on --listen ADDRESS
//	registry collect --dir DIR --content DIR       reads `ctr images list` on standard input
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given; serve and collect are the commands")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	dir := flags.String("dir", "/var/lib/image-mirror", "blobs and index")
	content := flags.String("content", "/var/lib/containerd/io.containerd.content.v1.content", "containerd's content store")
	listen := flags.String("listen", "", "address, where systemd hands over no socket")
	idle := flags.Duration("idle", time.Minute, "leave after so long without a request; 0: never")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return serve(*dir, *listen, *idle)
	case "collect":
		return collect(*dir, *content, stdin)
	}
	return fmt.Errorf("unknown command %q; serve and collect are the commands", args[0])
}

// index maps "docker.io/library/busybox:latest" to the digest of its manifest.
type index map[string]string

func indexPath(dir string) string { return filepath.Join(dir, "index.json") }

func blobPath(dir, digest string) string {
	return filepath.Join(dir, "blobs", strings.Replace(digest, ":", "/", 1))
}

var (
	digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	// name, kind and reference of the two routes there are
	routePattern = regexp.MustCompile(`^/v2/([a-z0-9][a-z0-9._/-]{0,254})/(manifests|blobs)/([A-Za-z0-9_][A-Za-z0-9._:-]{0,127})$`)
)

func readIndex(dir string) (index, error) {
	i := index{}
	text, err := os.ReadFile(indexPath(dir))
	if os.IsNotExist(err) {
		return i, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &i)
	}
	return i, err
}

type manifest struct {
	MediaType string       `json:"mediaType"`
	Manifests []descriptor `json:"manifests"`
	Config    *descriptor  `json:"config"`
	Layers    []descriptor `json:"layers"`
}
type descriptor struct {
	Digest string `json:"digest"`
}

// collect links every blob of the listed images into dir and names them in its index. Links, not copies: an image costs nothing
// twice, and stays here when `crictl rmi` takes it from containerd.
func collect(dir, content string, list io.Reader) error {
	known, err := readIndex(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return err
	}
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		f := strings.Fields(lines.Text()) // REF TYPE DIGEST …
		if len(f) < 3 || !digestPattern.MatchString(f[2]) || !strings.Contains(f[0], "/") || strings.Contains(f[0], "@") {
			continue
		}
		whole, err := link(dir, content, f[2])
		if err != nil {
			return fmt.Errorf("%s: %w", f[0], err)
		}
		if whole {
			known[f[0]] = f[2]
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	text, _ := json.MarshalIndent(known, "", "  ")
	return os.WriteFile(indexPath(dir), append(text, '\n'), 0o644)
}

// link follows a manifest or list of manifests. What an image of several platforms has only the names of is left out; whole says
// whether at least one platform is there.
func link(dir, content, digest string) (whole bool, err error) {
	from, to := blobPath(content, digest), blobPath(dir, digest)
	if _, err := os.Stat(from); err != nil {
		return false, nil
	}
	if err := os.Link(from, to); err != nil && !os.IsExist(err) {
		return false, err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return false, err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return false, err
	}
	for _, child := range m.Manifests {
		found, err := link(dir, content, child.Digest)
		if err != nil {
			return false, err
		}
		whole = whole || found
	}
	if m.Config == nil {
		return whole, nil
	}
	for _, d := range append(m.Layers, *m.Config) {
		err := os.Link(blobPath(content, d.Digest), blobPath(dir, d.Digest))
		if os.IsNotExist(err) {
			return false, nil
		}
		if err != nil && !os.IsExist(err) {
			return false, err
		}
	}
	return true, nil
}

// handler answers pulls. containerd names the registry it stands in for in ?ns=; a miss is a 404, at which containerd goes on to
// the registry itself.
type handler struct {
	dir   string
	index index
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
		return
	}
	if r.URL.Path == "/v2/" || r.URL.Path == "/v2" {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
		return
	}
	route := routePattern.FindStringSubmatch(r.URL.Path)
	if route == nil || strings.Contains(route[1], "..") {
		problem(w, http.StatusNotFound, "NAME_UNKNOWN", "no such route")
		return
	}
	name, kind, reference := route[1], route[2], route[3]
	digest := reference
	if !digestPattern.MatchString(reference) {
		if kind == "blobs" {
			problem(w, http.StatusBadRequest, "DIGEST_INVALID", "not a sha256 digest")
			return
		}
		if digest = h.index[r.URL.Query().Get("ns")+"/"+name+":"+reference]; digest == "" {
			problem(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "this node has no "+name+":"+reference)
			return
		}
	}
	f, err := os.Open(blobPath(h.dir, digest))
	if err != nil {
		problem(w, http.StatusNotFound, "BLOB_UNKNOWN", "this node has no "+digest)
		return
	}
	defer f.Close()
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Type", "application/octet-stream")
	if kind == "manifests" {
		var m manifest
		text, err := io.ReadAll(io.LimitReader(f, 4<<20))
		if err != nil || json.Unmarshal(text, &m) != nil {
			problem(w, http.StatusNotFound, "MANIFEST_UNKNOWN", digest+" is not a manifest")
			return
		}
		if m.MediaType == "" {
			m.MediaType = "application/vnd.oci.image.manifest.v1+json"
			if m.Manifests != nil {
				m.MediaType = "application/vnd.oci.image.index.v1+json"
			}
		}
		w.Header().Set("Content-Type", m.MediaType)
		f.Seek(0, io.SeekStart)
	}
	http.ServeContent(w, r, "", time.Time{}, f)
}

func problem(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

func serve(dir, listen string, idle time.Duration) error {
	i, err := readIndex(dir)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", indexPath(dir), err)
	}
	var listener net.Listener
	if os.Getenv("LISTEN_FDS") != "" { // sd_listen_fds(3): the first is descriptor 3
		listener, err = net.FileListener(os.NewFile(3, "socket"))
	} else if listen != "" {
		listener, err = net.Listen("tcp", listen)
	} else {
		err = fmt.Errorf("systemd handed over no socket and --listen is not given")
	}
	if err != nil {
		return err
	}
	var open, seen atomic.Int64
	count := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Add(-1)
		seen.Add(1)
		handler{dir, i}.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: count, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	if idle > 0 {
		go func() {
			for before := int64(-1); open.Load() > 0 || seen.Load() != before; time.Sleep(idle) {
				before = seen.Load()
			}
			server.Shutdown(context.Background()) // a connection that comes now waits in systemd's socket for the next of us
		}()
	}
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}
