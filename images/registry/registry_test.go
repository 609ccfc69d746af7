// What containerd relies on when it pulls from the mirror: names by registry, digests, media types, a plain 404 for everything
// else; and that collecting links blobs instead of copying them.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// store is a content store with one image of one layer, and one index that also names a platform which is not there.
func store(t *testing.T) (content, image, index, layer string) {
	t.Helper()
	content = t.TempDir()
	os.MkdirAll(filepath.Join(content, "blobs/sha256"), 0o755)
	put := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		digest := "sha256:" + hex.EncodeToString(sum[:])
		if err := os.WriteFile(blobPath(content, digest), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return digest
	}
	layer = put("layer")
	image = put(fmt.Sprintf(`{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"digest":%q},"layers":[{"digest":%q}]}`, put("{}"), layer))
	index = put(fmt.Sprintf(`{"manifests":[{"digest":%q},{"digest":"sha256:%s"}]}`, image, strings.Repeat("0", 64)))
	return content, image, index, layer
}

func mirror(t *testing.T) (*httptest.Server, string, string, string, string) {
	content, image, index, layer := store(t)
	dir := t.TempDir()
	list := "docker.io/library/busybox:latest type " + image + " 1B linux/amd64 -\n" +
		"docker.io/library/busybox@sha256:x type " + image + "\nghcr.io/a/b:v1 type " + index + "\nregistry.k8s.io/gone:1 type sha256:" + strings.Repeat("1", 64) + "\n"
	if err := collect(dir, content, strings.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	known, err := readIndex(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler{dir, known})
	t.Cleanup(s.Close)
	return s, content, image, index, layer
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return r, string(body)
}

func TestAnImageIsPulledByNameAndDigest(t *testing.T) {
	s, _, image, index, layer := mirror(t)
	r, body := get(t, s.URL+"/v2/library/busybox/manifests/latest?ns=docker.io")
	if r.StatusCode != 200 || r.Header.Get("Docker-Content-Digest") != image || r.Header.Get("Content-Type") != "application/vnd.docker.distribution.manifest.v2+json" {
		t.Errorf("%v %v", r.Status, r.Header)
	}
	if !strings.Contains(body, layer) {
		t.Errorf("%s", body)
	}
	if r, body = get(t, s.URL+"/v2/library/busybox/blobs/"+layer+"?ns=docker.io"); r.StatusCode != 200 || body != "layer" {
		t.Errorf("%v %s", r.Status, body)
	}
	if r, _ = get(t, s.URL+"/v2/a/b/manifests/v1?ns=ghcr.io"); r.Header.Get("Docker-Content-Digest") != index || r.Header.Get("Content-Type") != "application/vnd.oci.image.index.v1+json" {
		t.Errorf("%v %v", r.Status, r.Header)
	}
	head, err := http.Head(s.URL + "/v2/library/busybox/manifests/latest?ns=docker.io")
	if err != nil || head.ContentLength <= 0 {
		t.Errorf("%v %v", head, err)
	}
}

func TestWhatIsNotThereIsAPlain404(t *testing.T) {
	s, _, _, _, _ := mirror(t)
	for _, path := range []string{
		"/v2/library/busybox/manifests/nope?ns=docker.io", "/v2/library/busybox/manifests/latest?ns=quay.io", "/v2/library/busybox/manifests/latest",
		"/v2/gone/manifests/1?ns=registry.k8s.io", "/v2/library/busybox/blobs/sha256:" + strings.Repeat("2", 64), "/v2/../../index.json", "/v2/_catalog",
		"/v2/library/..%2f..%2findex/manifests/latest",
	} {
		if r, body := get(t, s.URL+path); r.StatusCode != 404 {
			t.Errorf("%s: %s %s", path, r.Status, body)
		}
	}
	r, err := http.Post(s.URL+"/v2/library/busybox/blobs/uploads/", "", nil)
	if err != nil || r.StatusCode != 405 {
		t.Errorf("push: %v %v", r, err)
	}
}

func TestBlobsAreLinkedNotCopiedAndCollectingTwiceIsFine(t *testing.T) {
	content, image, _, layer := store(t)
	dir := t.TempDir()
	for range 2 {
		if err := collect(dir, content, strings.NewReader("docker.io/library/busybox:latest type "+image+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := os.Stat(blobPath(content, layer))
	b, err := os.Stat(blobPath(dir, layer))
	if err != nil || !os.SameFile(a, b) {
		t.Errorf("the layer is a copy: %v", err)
	}
	text, _ := os.ReadFile(indexPath(dir))
	var known index
	if json.Unmarshal(text, &known) != nil || len(known) != 1 {
		t.Errorf("%s", text)
	}
}
