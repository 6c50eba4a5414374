package emulator

import (
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/pgserver"
)

// lakebaseHandlers hands requests over to the Lakebase of their workspace.
func lakebaseHandlers() map[string]handler {
	root := strings.Count(strings.Trim(lakebase.Root, "/"), "/") + 1 // segments
	table := map[string]handler{}
	for verbAndPath, carryOut := range lakebase.Handlers() {
		table[verbAndPath] = func(c *call) (any, error) {
			return carryOut(c.workspace.lakebase, &lakebase.Request{
				Name: strings.Join(c.segments[root:], "/"), Query: c.query, Body: c.object(), JSON: c.body, Mask: c.mask(),
				Shape: c.emulator.shapes.Body(c.route.method), Fail: c.fails(), Mint: c.mint,
			})
		}
	}
	return table
}

// mint signs a database credential of the caller and, if there is a PostgreSQL server, makes it a
// password there. [Emulator.Verify] reads it.
func (c *call) mint(g lakebase.Grant) (token string, expires time.Time, err error) {
	token, expires = c.emulator.access.keys.sign(typeCredential, tokenClaims{
		Issuer: c.base, Subject: c.subject, Audience: g.Host, Endpoint: g.Endpoint, Claims: g.Claims,
	}, c.emulator.opts.Clock())
	if server := c.emulator.pgserver; server != nil {
		err = server.Admit(c.ctx, pgserver.Login{Identity: c.subject, Token: token, Expires: expires, Databases: g.Databases()})
	}
	return token, expires, err
}
