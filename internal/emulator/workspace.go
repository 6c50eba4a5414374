package emulator

import (
	"net"
	"net/http"
	"strings"
	"sync"
)

const hostSuffix = ".localhost"

// workspace is the state behind one deployment name.
type workspace struct {
	name  string
	store *store
	limit *limiter // nil: unlimited

	// creating serialises changes that look first and write then.
	creating sync.Mutex
}

// workspace gives the workspace of a deployment name, made on first use.
func (e *Emulator) workspace(deployment string) *workspace {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w, ok := e.workspaces[deployment]; ok {
		return w
	}
	w := &workspace{
		name:  deployment,
		store: newStore(&company{seed: e.opts.Seed, workspace: deployment, scale: e.opts.Scale}),
	}
	if e.opts.RateLimit > 0 {
		w.limit = newLimiter(e.opts.RateLimit, e.opts.Clock)
	}
	e.workspaces[deployment] = w
	return w
}

// deploymentOf reads the workspace's name from a Host header. Hosts that are neither loopback nor
// under localhost are refused: a name that somebody else's DNS points at this port must not work.
func deploymentOf(host string) (string, error) {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if ip := net.ParseIP(name); name == "localhost" || ip.IsLoopback() {
		return DefaultWorkspace, nil
	}
	if label, ok := strings.CutSuffix(name, hostSuffix); ok && isLabel(label) {
		return label, nil
	}
	return "", newError(http.StatusNotFound, "NOT_FOUND",
		"No workspace at host %q: the emulator's are <deployment name>.localhost, and %s at a bare loopback host.",
		printable(host), DefaultWorkspace)
}

// isLabel reports whether s, in lower case, is a DNS label (RFC 1123 §2.1).
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
