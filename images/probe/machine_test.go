// What machine.go does to files, tried on this very process's root: a directory of its own in it stands for a machine's.
package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func args(t *testing.T, r request, values any) request {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	r.Args = text
	r.Pid = os.Getpid()
	return r
}

type entries = map[string]any

func TestWriteKeepsModeAndRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if _, err := writePath(context.Background(), args(t, request{Op: "write", Path: path}, entries{"content": []byte("one"), "mode": 0o640})); err != nil {
		t.Fatal(err)
	}
	if _, err := writePath(context.Background(), args(t, request{Op: "write", Path: path}, entries{"content": []byte("two")})); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	content, _ := os.ReadFile(path)
	if string(content) != "two" || info.Mode().Perm() != 0o640 {
		t.Fatalf("%q %v", content, info.Mode())
	}
	for _, refused := range []string{dir, dir + "/", filepath.Join(dir, "..")} {
		if _, err := writePath(context.Background(), args(t, request{Op: "write", Path: refused}, entries{"content": []byte("x")})); err == nil {
			t.Errorf("%s was written", refused)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	if _, err := writePath(context.Background(), args(t, request{Op: "write", Path: filepath.Join(dir, "dangling")}, entries{"content": []byte("x")})); err == nil {
		t.Error("a link to nothing was written through")
	}
}

func TestPutMakesWhatTreeSaw(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(at("folder"), 0o750))
	must(os.WriteFile(at("folder/file"), []byte("content"), 0o600))
	must(os.Symlink("../elsewhere", at("folder/link")))
	tree := func() []node {
		t.Helper()
		a, err := readTree(context.Background(), args(t, request{Op: "tree", TimeoutMs: 3000}, entries{"deep": []string{at("folder")}, "content": true}))
		must(err)
		return a["nodes"].([]node)
	}
	before := tree()
	if len(before) != 3 {
		t.Fatalf("%d entries", len(before))
	}
	// Everything becomes something else.
	must(os.Remove(at("folder/file")))
	must(os.MkdirAll(at("folder/file/deeper"), 0o755))
	must(os.Remove(at("folder/link")))
	must(os.WriteFile(at("folder/link"), nil, 0o644))
	must(os.Chmod(at("folder"), 0o700))
	must(os.WriteFile(at("folder/new"), []byte("new"), 0o644))
	if _, err := putTree(context.Background(), args(t, request{Op: "put"}, entries{"remove": []string{at("folder/new"), at("folder/never-there")}, "nodes": before})); err != nil {
		t.Fatal(err)
	}
	was, _ := json.Marshal(before)
	is, _ := json.Marshal(tree())
	if string(was) != string(is) {
		t.Fatalf("before %s\nafter  %s", was, is)
	}
}

func TestLayerNamesWhatIsInIt(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root sets trusted attributes")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Join(dir, "etc/new"), 0o755)
	os.WriteFile(filepath.Join(dir, "etc/new/file"), nil, 0o644)
	os.Symlink("/elsewhere", filepath.Join(dir, "etc/link"))
	layer := func() answer {
		t.Helper()
		a, err := readLayer(context.Background(), args(t, request{Op: "layer", TimeoutMs: 3000}, entries{"upper": dir}))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := layer()
	if got := strings.Join(a["paths"].([]string), " "); got != "/etc /etc/link /etc/new /etc/new/file" || a["whole"] != true {
		t.Fatalf("%s, whole %v", got, a["whole"])
	}
	if err := unix.Setxattr(filepath.Join(dir, "etc/new"), "trusted.overlay.opaque", []byte("y"), 0); err != nil {
		t.Skipf("no such attributes here: %v", err)
	}
	if layer()["whole"] != false {
		t.Fatal("a folder that hides the image's was not noticed")
	}
	if _, err := readLayer(context.Background(), args(t, request{Op: "layer", TimeoutMs: 3000}, entries{"upper": dir + "/gone"})); err == nil {
		t.Fatal("a layer that is not there was read")
	}
}

func TestRemoveFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	os.Mkdir(outside, 0o755)
	os.WriteFile(filepath.Join(outside, "precious"), nil, 0o644)
	os.Mkdir(filepath.Join(dir, "doomed"), 0o755)
	os.Symlink(outside, filepath.Join(dir, "doomed", "link"))
	if _, err := putTree(context.Background(), args(t, request{Op: "put"}, entries{"remove": []string{filepath.Join(dir, "doomed")}})); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(outside, "precious")); err != nil {
		t.Fatal("what a link pointed to is gone")
	}
	if _, err := os.Stat(filepath.Join(dir, "doomed")); !os.IsNotExist(err) {
		t.Fatal("it is still there")
	}
}

func TestKillRefusesTheFirstProcess(t *testing.T) {
	if _, err := killProcesses(context.Background(), args(t, request{Op: "kill"}, entries{"pids": []int{os.Getpid()}})); err == nil {
		t.Fatal("the machine's first process was ended")
	}
}
