// Finding a pod's processes on a node. A learner who is root on the node can move processes between cgroups and kill them, so the
// oldest process of the pod counts: that is the sandbox's own, which was there before any of theirs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var uidPattern = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// podProcesses lists the processes of a pod on the node whose first process is node, oldest first; never empty.
// The kubelet writes the uid as it is (cgroupfs driver) or with underscores (systemd driver).
func podProcesses(proc string, node int, uid string) ([]int, error) {
	if !uidPattern.MatchString(uid) {
		return nil, missing("bad-request", "podUid %q is not a uid", uid)
	}
	wanted, err := namespaceID(proc, node)
	if err != nil {
		return nil, missing("not-found", "there is no process %d; the container has ended or was started anew", node)
	}
	marks := []string{"pod" + uid, "pod" + strings.ReplaceAll(uid, "-", "_")}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	type found struct {
		pid   int
		start uint64
	}
	var all []found
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(proc, e.Name(), "cgroup"))
		if err != nil || !mentions(string(text), marks) || !within(proc, pid, wanted) {
			continue
		}
		start, err := startTime(proc, pid)
		if err == nil {
			all = append(all, found{pid, start})
		}
	}
	if len(all) == 0 {
		return nil, missing("no-such-pod", "no process of pod %s runs on this node", uid)
	}
	sort.Slice(all, func(a, b int) bool {
		return all[a].start < all[b].start || all[a].start == all[b].start && all[a].pid < all[b].pid
	})
	pids := make([]int, len(all))
	for i, f := range all {
		pids[i] = f.pid
	}
	return pids, nil
}

// mentions: a whole element of a cgroup's path is the pod's (…/pod<uid>/… or …-pod<uid>.slice/…).
func mentions(cgroups string, marks []string) bool {
	for _, line := range strings.Split(cgroups, "\n") {
		for _, element := range strings.Split(line, "/") {
			element = strings.TrimSuffix(element, ".slice")
			for _, mark := range marks {
				if element == mark || strings.HasSuffix(element, "-"+mark) {
					return true
				}
			}
		}
	}
	return false
}

// namespaceID identifies a process's pid namespace by inode.
func namespaceID(proc string, pid int) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("%s/%d/ns/pid", proc, pid), &st); err != nil {
		return 0, err
	}
	return st.Ino, nil
}

// within: the process is in the pid namespace, or in one below it. See ioctl_nsfs(2), NS_GET_PARENT.
func within(proc string, pid int, wanted uint64) bool {
	fd, err := unix.Open(fmt.Sprintf("%s/%d/ns/pid", proc, pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	for depth := 0; err == nil && depth < 8; depth++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Ino == wanted {
			unix.Close(fd)
			return true
		}
		parent, up := unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
		unix.Close(fd)
		fd, err = parent, up
	}
	if err == nil {
		unix.Close(fd)
	}
	return false
}

// startTime is field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so counting begins after its last parenthesis.
func startTime(proc string, pid int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("%s/%d/stat", proc, pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, fmt.Errorf("stat of %d is cut short", pid)
	}
	return strconv.ParseUint(fields[19], 10, 64)
}
