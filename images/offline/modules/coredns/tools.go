//go:build tools

// What the builder takes from this module, so that go.sum covers it. Never compiled.
package tools

import (
	_ "github.com/coredns/coredns"
)
