package document

import (
	"fmt"
	"path"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/overlay"
)

// formerNames writes the former names of each provider: former-names.yaml. It returns the lines of
// former-names.csv whose operation the SDK does not have.
func (g *generator) formerNames() []overlay.Stale {
	var stale []overlay.Stale
	lines := map[string][]*object{}
	for _, f := range g.table.Former {
		line := newObject().
			set("name", f.Service+"."+f.Resource+"."+f.Method).
			set("verb", f.SQLVerb)
		today, ok := g.names[f.Operation]
		switch {
		case ok:
			line.set("today", f.Operation.Provider+"."+f.Operation.Service+"."+today.Resource+"."+today.Method)
		case f.Operation == (names.Key{}):
			line.set("request", f.HTTPVerb+" "+f.Path).set("reason", f.Reason)
		default:
			stale = append(stale, overlay.Stale{
				File:    "former-names.csv",
				Message: fmt.Sprintf("%s: the SDK has no operation %s in %s.%s", f.Name(), f.Operation.Operation, f.Operation.Provider, f.Operation.Service),
			})
			continue
		}
		lines[f.Provider] = append(lines[f.Provider], line.flow())
	}
	for provider, list := range lines {
		g.write(path.Join(provider, version, "former-names.yaml"), newObject().set("x-lakeql-former-names", list))
	}
	return stale
}
