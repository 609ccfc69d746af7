// What prepares a machine and puts it back: files written, compared and restored, processes listed and ended. These are the only
// operations of probe that change anything. Paths are resolved as in files.go, inside the machine's own root. They know nothing of
// what a baseline is for.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	maxTree    = 20000    // files that one `tree` looks at
	maxContent = 8 << 20  // bytes of content that one `tree` carries
	maxPut     = 16 << 20 // bytes that one `put` writes
)

func init() {
	operations["write"] = writePath
	operations["tree"] = readTree
	operations["layer"] = readLayer
	operations["put"] = putTree
	operations["processes"] = listProcesses
	operations["kill"] = killProcesses
	operations["thaw"] = thaw
}

func arguments(r request, into any) error {
	if err := json.Unmarshal(r.Args, into); err != nil {
		return missing("bad-request", "%s: args cannot be read: %v", r.Op, err)
	}
	return nil
}

func rootOf(r request) (int, error) {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/root", r.Pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, missing("not-found", "process %d has ended", r.Pid)
	}
	return fd, nil
}

func parentProcess(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, missing("not-found", "process %d has ended", pid)
	}
	// The name before it may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	return strconv.Atoi(fields[1])
}

func openIn(root int, name string, flags int) (int, error) {
	return unix.Openat2(root, name, &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: unix.RESOLVE_IN_ROOT})
}

// parentOf opens the directory in which the last element of name is, and gives that element.
func parentOf(root int, name string) (int, string, error) {
	base := path.Base(name)
	if strings.HasSuffix(name, "/") || base == "." || base == ".." || base == "/" {
		return -1, "", missing("bad-request", "%s does not name a file", name)
	}
	fd, err := openIn(root, path.Dir(path.Join("/", name)), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return -1, "", pathError(path.Dir(name), err)
	}
	return fd, base, nil
}

func writeError(name string, err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return missing("disk-full", "%s: no space is left", name)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.EROFS):
		return missing("bad-request", "%s may not be written, not even by root", name)
	}
	return pathError(name, err)
}

// writePath replaces the content of a file, mode and owner kept, or makes it: 0644, of the user named.
func writePath(_ context.Context, r request) (answer, error) {
	var a struct {
		Content []byte  `json:"content"`
		Mode    *uint32 `json:"mode"`
		User    string  `json:"user"`
	}
	if err := arguments(r, &a); err != nil {
		return nil, err
	}
	root, err := rootOf(r)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	fd, err := openIn(root, r.Path, unix.O_PATH)
	if errors.Is(err, unix.ENOENT) {
		return createFile(root, r, a.Content, a.Mode, a.User)
	}
	if err != nil {
		return nil, pathError(r.Path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, missing("bad-request", "%s is a %s, not a regular file", r.Path, kindOf(st.Mode))
	}
	file, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return nil, writeError(r.Path, err)
	}
	defer file.Close()
	if _, err := file.Write(a.Content); err != nil {
		return nil, writeError(r.Path, err)
	}
	if a.Mode != nil {
		if err := file.Chmod(os.FileMode(*a.Mode & 0o777)); err != nil {
			return nil, err
		}
	}
	return answer{"created": false}, nil
}

func createFile(root int, r request, content []byte, mode *uint32, user string) (answer, error) {
	uid, gid, err := userOf(r.Pid, user)
	if err != nil {
		return nil, err
	}
	parent, base, err := parentOf(root, r.Path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(parent)
	fd, err := unix.Openat(parent, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, unix.EEXIST) {
		return nil, missing("bad-request", "%s is a link to nothing", r.Path)
	}
	if err != nil {
		return nil, writeError(r.Path, err)
	}
	file := os.NewFile(uintptr(fd), r.Path)
	defer file.Close()
	bits := uint32(0o644)
	if mode != nil {
		bits = *mode & 0o777
	}
	_, err = file.Write(content)
	if err == nil {
		err = errors.Join(file.Chown(uid, gid), file.Chmod(os.FileMode(bits)))
	}
	if err != nil {
		unix.Unlinkat(parent, base, 0)
		return nil, writeError(r.Path, err)
	}
	return answer{"created": true}, nil
}

// userOf reads the machine's own passwd; empty is root.
func userOf(pid int, name string) (int, int, error) {
	if name == "" || name == "root" {
		return 0, 0, nil
	}
	file, _, err := regular([]int{pid}, "/etc/passwd")
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, 1<<20))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) < 4 || fields[0] != name {
			continue
		}
		uid, err1 := strconv.Atoi(fields[2])
		gid, err2 := strconv.Atoi(fields[3])
		if err1 == nil && err2 == nil {
			return uid, gid, nil
		}
	}
	return 0, 0, missing("not-found", "there is no user %s", name)
}

// node is one entry of a file tree. Content only where it was asked for.
type node struct {
	Path    string `json:"path"`
	Type    string `json:"type"`
	Mode    uint32 `json:"mode"`
	Uid     uint32 `json:"uid"`
	Gid     uint32 `json:"gid"`
	Size    int64  `json:"size,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Target  string `json:"target,omitempty"`
	Content []byte `json:"content,omitempty"`
}

// readTree describes paths, and what is below those in `deep`; what does not exist is left out. No link is followed in the last element.
func readTree(ctx context.Context, r request) (answer, error) {
	var a struct {
		Paths   []string `json:"paths"`
		Deep    []string `json:"deep"`
		Content bool     `json:"content"`
	}
	if err := arguments(r, &a); err != nil {
		return nil, err
	}
	root, err := rootOf(r)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	nodes, carried := []node{}, int64(0)
	var visit func(name string, deep bool) error
	visit = func(name string, deep bool) error {
		if ctx.Err() != nil {
			return fmt.Errorf("the tree could not be read within %d ms", r.TimeoutMs)
		}
		if len(nodes) >= maxTree {
			return missing("too-large", "more than %d files", maxTree)
		}
		parent, base, err := parentOf(root, name)
		if err != nil {
			var l looked
			if errors.As(err, &l) && l.kind == "not-found" {
				return nil
			}
			return err
		}
		defer unix.Close(parent)
		fd, err := unix.Openat(parent, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return pathError(name, err)
		}
		defer unix.Close(fd)
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return err
		}
		n := node{Path: name, Type: kindOf(st.Mode), Mode: st.Mode & 0o7777, Uid: st.Uid, Gid: st.Gid}
		switch n.Type {
		case "file":
			n.Size = st.Size
			file, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", fd), os.O_RDONLY, 0)
			if err != nil {
				return pathError(name, err)
			}
			defer file.Close()
			hash := sha256.New()
			var kept bytes.Buffer
			var to io.Writer = hash
			if a.Content {
				if carried += st.Size; carried > maxContent {
					return missing("too-large", "more than %d bytes of content", maxContent)
				}
				to = io.MultiWriter(hash, &kept)
			}
			if _, err := io.Copy(to, io.LimitReader(file, 1<<30)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			n.Hash, n.Content = hex.EncodeToString(hash.Sum(nil)), kept.Bytes()
		case "link":
			buffer := make([]byte, unix.PathMax)
			if length, err := unix.Readlinkat(fd, "", buffer); err == nil {
				n.Target = string(buffer[:length])
			}
		}
		nodes = append(nodes, n)
		if !deep || n.Type != "directory" {
			return nil
		}
		directory, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil {
			return pathError(name, err)
		}
		names, err := directory.Readdirnames(-1)
		directory.Close()
		if err != nil {
			return err
		}
		sort.Strings(names)
		for _, child := range names {
			if err := visit(path.Join(name, child), true); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range a.Paths {
		if err := visit(name, false); err != nil {
			return nil, err
		}
	}
	for _, name := range a.Deep {
		if err := visit(name, true); err != nil {
			return nil, err
		}
	}
	return answer{"nodes": nodes}, nil
}

// readLayer names what is in a container's writable layer, an upper directory of overlayfs by its path on the host: paths as the container sees them, those that
// it hides among them. `whole` is false when the layer hides more than it names: a folder in the place of one of the image's, a renamed one, too many.
func readLayer(ctx context.Context, r request) (answer, error) {
	var a struct {
		Upper string `json:"upper"`
	}
	err := arguments(r, &a)
	if err != nil {
		return nil, err
	}
	// Who started the container's first process lives where the layers lie; process 1 may be out of reach.
	if r.Pid, err = parentProcess(r.Pid); err != nil {
		return nil, err
	}
	root, err := rootOf(r)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	top, err := openIn(root, a.Upper, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, pathError(a.Upper, err)
	}
	paths, whole := []string{}, true
	// visit closes the directory.
	var visit func(fd int, at string) error
	visit = func(fd int, at string) error {
		directory := os.NewFile(uintptr(fd), at)
		defer directory.Close()
		if ctx.Err() != nil {
			return fmt.Errorf("the layer could not be read within %d ms", r.TimeoutMs)
		}
		for _, name := range []string{"trusted.overlay.opaque", "trusted.overlay.redirect"} {
			if size, err := unix.Fgetxattr(fd, name, nil); err == nil && size > 0 {
				whole = false
			}
		}
		entries, err := directory.ReadDir(-1)
		if errors.Is(err, unix.ENOENT) {
			return nil // gone since it was opened
		}
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if len(paths) >= maxTree {
				whole = false
				return nil
			}
			below := path.Join(at, entry.Name())
			paths = append(paths, below)
			if !entry.IsDir() {
				continue
			}
			child, err := unix.Openat(fd, entry.Name(), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
				continue // gone meanwhile
			}
			if err != nil {
				return pathError(below, err)
			}
			if err := visit(child, below); err != nil {
				return err
			}
		}
		return nil
	}
	if err := visit(top, "/"); err != nil {
		return nil, err
	}
	sort.Strings(paths)
	return answer{"paths": paths, "whole": whole}, nil
}

// putTree removes paths (with what is below them), then makes entries as `tree` described them, in the order given.
func putTree(_ context.Context, r request) (answer, error) {
	var a struct {
		Remove []string `json:"remove"`
		Nodes  []node   `json:"nodes"`
	}
	if err := arguments(r, &a); err != nil {
		return nil, err
	}
	root, err := rootOf(r)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	for _, name := range a.Remove {
		parent, base, err := parentOf(root, name)
		if err != nil {
			var l looked
			if errors.As(err, &l) && l.kind == "not-found" {
				continue
			}
			return nil, err
		}
		err = removeAll(parent, base)
		unix.Close(parent)
		if err != nil {
			return nil, writeError(name, err)
		}
	}
	total := 0
	for _, n := range a.Nodes {
		if total += len(n.Content); total > maxPut {
			return nil, missing("too-large", "more than %d bytes", maxPut)
		}
		if err := putNode(root, n); err != nil {
			return nil, err
		}
	}
	return answer{}, nil
}

func putNode(root int, n node) error {
	parent, base, err := parentOf(root, n.Path)
	if err != nil {
		return err
	}
	defer unix.Close(parent)
	var st unix.Stat_t
	exists := unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
	if exists && (kindOf(st.Mode) != n.Type || n.Type == "link") {
		if err := removeAll(parent, base); err != nil {
			return writeError(n.Path, err)
		}
		exists = false
	}
	switch n.Type {
	case "directory":
		if !exists {
			if err := unix.Mkdirat(parent, base, n.Mode); err != nil {
				return writeError(n.Path, err)
			}
		}
	case "link":
		if err := unix.Symlinkat(n.Target, parent, base); err != nil {
			return writeError(n.Path, err)
		}
		return unix.Fchownat(parent, base, int(n.Uid), int(n.Gid), unix.AT_SYMLINK_NOFOLLOW)
	case "file":
		flags := unix.O_WRONLY | unix.O_TRUNC | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_CLOEXEC
		fd, err := unix.Openat(parent, base, flags, n.Mode)
		if errors.Is(err, unix.ETXTBSY) { // a program that runs: a new file takes its name
			if err = unix.Unlinkat(parent, base, 0); err == nil {
				fd, err = unix.Openat(parent, base, flags|unix.O_EXCL, n.Mode)
			}
		}
		if err != nil {
			return writeError(n.Path, err)
		}
		file := os.NewFile(uintptr(fd), n.Path)
		_, err = file.Write(n.Content)
		if err = errors.Join(err, file.Close()); err != nil {
			return writeError(n.Path, err)
		}
	default:
		return missing("bad-request", "%s is neither file, directory nor link", n.Path)
	}
	if err := unix.Fchownat(parent, base, int(n.Uid), int(n.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return unix.Fchmodat(parent, base, n.Mode, 0) // after chown, which clears setuid
}

// removeAll removes an entry of a directory and, when it is one, what is in it; no link is followed.
func removeAll(parent int, base string) error {
	err := unix.Unlinkat(parent, base, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return err
	}
	fd, opened := unix.Openat(parent, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if opened != nil {
		return err
	}
	directory := os.NewFile(uintptr(fd), base)
	names, readErr := directory.Readdirnames(-1)
	for _, name := range names {
		readErr = errors.Join(readErr, removeAll(fd, name))
	}
	directory.Close()
	return errors.Join(readErr, unix.Unlinkat(parent, base, unix.AT_REMOVEDIR))
}

// process is one that runs in the machine. Cgroup is its path below the machine's own first process's, in systemd's hierarchy.
type process struct {
	Pid     int    `json:"pid"`
	Parent  int    `json:"parent"`
	Session int    `json:"session"`
	Program string `json:"program"`
	Cgroup  string `json:"cgroup"`
}

func listProcesses(_ context.Context, r request) (answer, error) {
	all, err := processesOf("/proc", r.Pid)
	if err != nil {
		return nil, err
	}
	return answer{"processes": all}, nil
}

func processesOf(proc string, first int) ([]process, error) {
	wanted, err := namespaceID(proc, first)
	if err != nil {
		return nil, missing("not-found", "there is no process %d; the container has ended or was started anew", first)
	}
	// init may be in init.scope below the machine's own cgroup
	base := strings.TrimSuffix(cgroupOf(proc, first), "/init.scope")
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	all := []process{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !within(proc, pid, wanted) {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("%s/%d/stat", proc, pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 4 || fields[0] == "Z" {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		session, _ := strconv.Atoi(fields[3])
		program, err := os.Readlink(fmt.Sprintf("%s/%d/exe", proc, pid))
		if err != nil {
			continue
		}
		all = append(all, process{pid, parent, session, strings.TrimSuffix(program, " (deleted)"), strings.TrimPrefix(cgroupOf(proc, pid), base)})
	}
	return all, nil
}

// cgroupOf is the path in systemd's own hierarchy (v1) or in the only one (v2).
func cgroupOf(proc string, pid int) string {
	text, _ := os.ReadFile(fmt.Sprintf("%s/%d/cgroup", proc, pid))
	one := ""
	for _, line := range strings.Split(string(text), "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) == 3 && (parts[1] == "name=systemd" || parts[1] == "" && one == "") {
			one = parts[2]
		}
	}
	return one
}

// killProcesses ends processes of this machine, with their descendants and sessions where `tree` is set; others are refused.
func killProcesses(_ context.Context, r request) (answer, error) {
	var a struct {
		Pids []int `json:"pids"`
		Tree bool  `json:"tree"`
	}
	if err := arguments(r, &a); err != nil {
		return nil, err
	}
	all, err := processesOf("/proc", r.Pid)
	if err != nil {
		return nil, err
	}
	doomed := map[int]bool{}
	for _, pid := range a.Pids {
		if pid == r.Pid {
			return nil, missing("bad-request", "process %d is the machine's first one", pid)
		}
		doomed[pid] = true
	}
	for grown := a.Tree; grown; {
		grown = false
		for _, p := range all {
			if !doomed[p.Pid] && p.Pid != r.Pid && (doomed[p.Parent] || doomed[p.Session]) {
				doomed[p.Pid], grown = true, true
			}
		}
	}
	killed := 0
	for _, p := range all { // only what is in the machine
		if doomed[p.Pid] && unix.Kill(p.Pid, unix.SIGKILL) == nil {
			killed++
		}
	}
	return answer{"killed": killed}, nil
}

var containerPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// thaw lets frozen processes of a container go on, so that they can be ended: an OCI runtime that dies between freezing a cgroup and
// thawing it (seen with runc, cgroup v1 and a loaded machine) leaves what no signal reaches, and the machine cannot be stopped. By the
// container's id, since its first process may already be half gone; pid is the grader's own.
func thaw(_ context.Context, r request) (answer, error) {
	var a struct {
		Container string `json:"container"`
	}
	if err := arguments(r, &a); err != nil {
		return nil, err
	}
	if !containerPattern.MatchString(a.Container) {
		return nil, missing("bad-request", "%q is not a container's id", a.Container)
	}
	// the host's own cgroups, mounted there by whoever runs the grader; without the mount there is nothing to thaw
	thawed := thawBelow("/host/cgroup/freezer", a.Container, "freezer.state", "FROZEN", "THAWED") +
		thawBelow("/host/cgroup", a.Container, "cgroup.freeze", "1", "0")
	return answer{"thawed": thawed}, nil
}

func thawBelow(top, container, file, frozen, free string) int {
	thawed := 0
	filepath.WalkDir(top, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() != file || !strings.Contains(name, container) {
			return nil
		}
		state, _ := os.ReadFile(name)
		if strings.TrimSpace(string(state)) == frozen && os.WriteFile(name, []byte(free), 0) == nil {
			thawed++
		}
		return nil
	})
	return thawed
}
