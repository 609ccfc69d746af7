// Files of a container, read through its root directory with openat2(2) and RESOLVE_IN_ROOT: no symlink, absolute or with "..",
// leads out of it, and no device, fifo or socket is opened.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"golang.org/x/sys/unix"
)

const (
	defaultRead = 256 << 10
	maxRead     = 4 << 20
	maxEntries  = 2000
)

// open opens a path inside the root of the first of the processes that is still there.
func open(roots []int, path string, flags int) (*os.File, error) {
	var last error
	for _, pid := range roots {
		root, err := unix.Open(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			last = missing("not-found", "process %d has ended", pid)
			continue
		}
		fd, err := openInRoot(root, path, flags)
		unix.Close(root)
		if err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		last = pathError(path, err)
		if !errors.Is(err, unix.ENOENT) {
			return nil, last
		}
	}
	return nil, last
}

// openInRoot is openat2(2), tried again while it says EAGAIN: something was renamed or mounted while ".." was resolved, and nothing was opened.
func openInRoot(root int, path string, flags int) (fd int, err error) {
	for range 20 {
		fd, err = unix.Openat2(root, path, &unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Resolve: unix.RESOLVE_IN_ROOT})
		if !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return fd, err
}

func pathError(path string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return missing("not-found", "%s does not exist", path)
	case errors.Is(err, unix.ENOTDIR):
		return missing("not-found", "%s: a part of it is not a directory", path)
	case errors.Is(err, unix.ELOOP):
		return missing("not-found", "%s: its symbolic links lead nowhere", path)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return missing("not-found", "%s may not be opened, not even by root", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// regular opens a file for reading, and nothing that would block or act when opened.
func regular(roots []int, path string) (*os.File, unix.Stat_t, error) {
	var st unix.Stat_t
	f, err := open(roots, path, unix.O_PATH)
	if err != nil {
		return nil, st, err
	}
	err = unix.Fstat(int(f.Fd()), &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		f.Close()
		return nil, st, missing("not-found", "%s is not a regular file but: %s", path, kindOf(st.Mode))
	}
	if err != nil {
		f.Close()
		return nil, st, err
	}
	defer f.Close()
	readable, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), os.O_RDONLY|unix.O_NONBLOCK, 0) // the same inode, no second walk
	return readable, st, err
}

func readPath(_ context.Context, r request) (answer, error) {
	limit := r.Limit
	if limit <= 0 {
		limit = defaultRead
	}
	if limit > maxRead {
		return nil, missing("bad-request", "limit must be at most %d", maxRead)
	}
	f, st, err := regular(r.Roots, r.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1)) // files in /proc say that they are empty
	if err != nil {
		return nil, missing("not-found", "%s cannot be read: %v", r.Path, err)
	}
	if int64(len(content)) > limit {
		return nil, missing("too-large", "%s has more than %d bytes", r.Path, limit)
	}
	return answer{"content": content, "size": len(content), "mode": fmt.Sprintf("%04o", st.Mode&0o7777), "uid": st.Uid, "gid": st.Gid}, nil
}

func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "link"
	}
	return "other"
}

func describe(st unix.Stat_t) answer {
	return answer{"type": kindOf(st.Mode), "size": st.Size, "mode": fmt.Sprintf("%04o", st.Mode&0o7777), "uid": st.Uid, "gid": st.Gid, "mtime": st.Mtim.Sec}
}

// statPath does not follow a last symbolic link: it says where that points.
func statPath(_ context.Context, r request) (answer, error) {
	f, err := open(r.Roots, r.Path, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, err
	}
	a := describe(st)
	if kindOf(st.Mode) == "link" {
		buffer := make([]byte, unix.PathMax)
		if n, err := unix.Readlinkat(int(f.Fd()), "", buffer); err == nil {
			a["target"] = string(buffer[:n])
		}
	}
	return a, nil
}

func listPath(_ context.Context, r request) (answer, error) {
	f, err := open(r.Roots, r.Path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(maxEntries + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	sort.Strings(names)
	truncated := len(names) > maxEntries
	if truncated {
		names = names[:maxEntries]
	}
	entries := []answer{}
	for _, name := range names {
		var st unix.Stat_t
		if unix.Fstatat(int(f.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			a := describe(st)
			a["name"] = name
			entries = append(entries, a)
		}
	}
	return answer{"entries": entries, "truncated": truncated}, nil
}
