package emulator

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// accountsName is the name of the account's host, which belongs to no workspace.
const accountsName = "accounts"

// workspace is the state of one workspace, or of the account.
type workspace struct {
	name        string
	inventory   *company.Inventory
	collections *resource.Collections
	lakebase    *lakebase.Service
	operations  *lakebase.Operations
	limit       *limiter // nil: unlimited

	// changing serialises changes, which read before they write.
	changing sync.Mutex
	numbers  atomic.Int64 // how many nextNumber returned
}

// company makes the values with which the state began.
func (w *workspace) company() *company.Company { return w.inventory.Company }

// nextNumber returns a number above first that nothing else has.
func (w *workspace) nextNumber(first int64) int64 { return first + w.numbers.Add(1) }

// newID makes an id for a new resource, in the form of its kind.
func (w *workspace) newID(k *documents.Kind) string {
	const firstNew = 900_000_000_000_001
	const firstPerson = 9_000_000_000_000_001
	switch {
	case strings.Contains(k.Name, "/scim/"), strings.Contains(k.Name, "/identity/"):
		return strconv.FormatInt(w.nextNumber(firstPerson), 10)
	case k.Numbered():
		return strconv.FormatInt(w.nextNumber(firstNew), 10)
	case k.Name == "/clusters":
		id := resource.NewID()
		return "1231-" + strconv.FormatInt(100_000+w.nextNumber(0)%900_000, 10) + "-" + id[:8]
	case k.Name == "/sql/warehouses", k.Name == "/policies/clusters":
		return strings.ReplaceAll(resource.NewID(), "-", "")[:16]
	}
	return resource.NewID()
}

// workspace returns the workspace of a deployment name. It makes the workspace on first use.
func (e *Emulator) workspace(deployment string) *workspace {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w, ok := e.workspaces[deployment]; ok {
		return w
	}
	w := e.newState(deployment, nil)
	e.workspaces[deployment] = w
	return w
}

// newState makes the state of a workspace, or of the account with the workspaces that it lists.
func (e *Emulator) newState(name string, listed *company.Deployments) *workspace {
	co := &company.Company{
		Seed: e.opts.Seed, Workspace: name, Scale: e.opts.Scale, Account: e.opts.AccountID, Host: e.pgserver.Host(), Clock: e.opts.Clock, Deployments: listed,
	}
	w := &workspace{name: name, inventory: &company.Inventory{Company: co, Kinds: e.kinds}}
	w.collections = resource.New(w.inventory)
	w.operations = &lakebase.Operations{Collections: w.collections, Clock: e.opts.Clock, Duration: e.opts.OperationTime}
	w.lakebase = lakebase.New(lakebase.Options{
		Company: co, Collections: w.collections, Operations: w.operations, Tokens: e.tokens, Clock: e.opts.Clock, CreateOnUse: e.opts.CreateOnUse,
	})
	if e.opts.RateLimit > 0 {
		w.limit = newLimiter(e.opts.RateLimit, e.opts.Clock)
	}
	return w
}

// deploymentOf reads the workspace's name from a Host header. It refuses hosts that are neither
// loopback addresses nor under localhost: a foreign name that DNS points at this port must not
// work.
func deploymentOf(host string) (string, error) {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if ip := net.ParseIP(name); name == "localhost" || ip.IsLoopback() {
		return DefaultWorkspace, nil
	}
	if label, ok := strings.CutSuffix(name, company.HostSuffix); ok && isLabel(label) {
		return label, nil
	}
	return "", apierror.New(http.StatusNotFound, "NOT_FOUND",
		"No workspace at host %q: the emulator's are <deployment name>.localhost, and %s at a bare loopback host.",
		apierror.Printable(host), DefaultWorkspace)
}

// isLabel reports whether s, in lower case, is a DNS label (RFC 1123 §2.1).
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// WorkspaceNames makes n deployment names for [Options].Workspaces. The first is
// [DefaultWorkspace].
func WorkspaceNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "finch-" + resource.Pad(i)
	}
	if n > 0 {
		names[0] = DefaultWorkspace
	}
	return names
}
