package emulator

import (
	"cmp"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/pgserver"
)

// lakebaseHandlers pass requests on to the Lakebase of their workspace.
func lakebaseHandlers() map[string]handler {
	root := strings.Count(strings.Trim(lakebase.Root, "/"), "/") + 1 // segments
	table := map[string]handler{}
	for verbAndPath, carryOut := range lakebase.Handlers() {
		table[verbAndPath] = func(req *apiRequest) (any, error) {
			return carryOut(req.workspace.lakebase, &lakebase.Request{
				Name: strings.Join(req.segments[root:], "/"), Query: req.query, Body: req.object(), JSON: req.body, Mask: req.mask(),
				Shape: req.shapes.Body(req.method), Fail: req.fails(), Mint: req.mint,
			})
		}
	}
	return table
}

// mint signs a database credential of the caller and, if there is a PostgreSQL server, makes it a
// password there. [Emulator.Verify] reads it.
func (req *apiRequest) mint(g lakebase.Grant) (token string, expires time.Time, err error) {
	token, expires = req.emulator.access.keys.sign(typeCredential, tokenClaims{
		Issuer: req.base, Subject: req.subject, Audience: g.Host, Endpoint: g.Endpoint, Claims: g.Claims,
	}, req.now(), cmp.Or(g.Lifetime, tokenLifetime))
	if server := req.emulator.pgserver; server != nil {
		err = server.Admit(req.ctx, pgserver.Login{Identity: req.subject, Token: token, Expires: expires, Databases: g.Databases()})
	}
	return token, expires, err
}
