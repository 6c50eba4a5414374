// Package lakebase finds Postgres endpoints of Lakebase and mints the passwords that open them, by
// calls of a workspace's API.
//
//   - [ParseName] reads the name of an endpoint, whole or in part (name.go).
//   - [Client.Find] finds the endpoint that a name means, or lists the candidates (find.go).
//   - [Client.Open] returns an [Endpoint] with what a client needs to log in. [Endpoint.Login] returns
//     a password that opens new connections, and mints another one when the last one nears its end
//     (login.go).
//
// A password is a token of one workspace, for an hour unless a shorter life is asked for. PostgreSQL
// checks it at login only: a connection outlives it.
package lakebase

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

const (
	// Port is the port of every endpoint.
	Port = 5432
	// Database is the database that every branch and every instance has.
	Database = "databricks_postgres"
)

// Client calls the API of one workspace. Several goroutines may use it.
type Client struct {
	api        *dispatch.Client
	deployment string // empty: the workspace that api is set to
	now        func() time.Time
}

// New makes a client. Its calls go to the workspace that the dispatcher's client is set to.
func New(api *dispatch.Client) *Client { return In(api, "") }

// In makes a client for the workspace with a deployment name.
func In(api *dispatch.Client, deployment string) *Client {
	return &Client{api: api, deployment: deployment, now: time.Now}
}

// Info describes an endpoint, as the API does.
type Info struct {
	Name string // projects/p/branches/b/endpoints/e, or instances/i
	Host string
	// PooledHost leads to a pool of connections; empty if the endpoint has none.
	PooledHost string
	ReadOnly   bool
	State      string // ACTIVE, IDLE, INIT or DEGRADED; for an instance AVAILABLE, STOPPED, …
	Disabled   bool   // no connection enables it
}

// ErrNotOpen is the cause of an error about an endpoint, where the call that found it was right: the endpoint is
// disabled, or a name fits none or several.
var ErrNotOpen = errors.New("the endpoint is not open")

// Token is a minted password.
type Token struct {
	Password provider.Secret
	Expires  time.Time // when it stops opening connections
}

// Grant limits a token. The zero value does not.
type Grant struct {
	// ReadOnly lists tables of Unity Catalog, catalog.schema.table. The token may read these and no others.
	ReadOnly []string
	// Life is how long the token opens connections; 0: an hour. The API accepts 5 minutes to an hour.
	Life time.Duration
}

const (
	endpoints = "databricks_workspace.postgres.postgres_endpoints"
	branches  = "databricks_workspace.postgres.postgres_branches"
	projects  = "databricks_workspace.postgres.postgres_projects"
	instances = "databricks_workspace.database.database_instances"
)

// call makes a call and returns its rows.
func (c *Client) call(ctx context.Context, method string, args map[string]any, body any) ([]map[string]any, error) {
	m, err := c.api.Catalogue.MethodOf(method)
	if err != nil {
		return nil, err
	}
	req, err := c.api.Plan(dispatch.Call{Method: m, Deployment: c.deployment, Args: args, Body: body})
	if err != nil {
		return nil, err
	}
	rows, err := c.api.Run(ctx, req)
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		values := map[string]any{}
		for i, column := range rows.Columns() {
			values[column.Name] = row[i]
		}
		all = append(all, values)
	}
}

// one makes a call whose answer is one object.
func (c *Client) one(ctx context.Context, method string, args map[string]any, body any) (map[string]any, error) {
	rows, err := c.call(ctx, method, args, body)
	if err == nil && len(rows) != 1 {
		err = provider.Errorf(provider.API, "%s answered with %d objects in place of one", method, len(rows))
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// text returns a value of a row that is a text, and "" for any other.
func text(row map[string]any, column string) string {
	switch value := row[column].(type) {
	case string:
		return value
	case provider.Secret:
		return value.Reveal()
	}
	return ""
}

// object reads a value of a row that is an object. What it lacks stays as it is.
func object(row map[string]any, column string, into any) error {
	value, ok := row[column].(json.RawMessage)
	if !ok {
		return nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return provider.Errorf(provider.API, "the attribute %s of %s cannot be read: %v", column, provider.Printable(text(row, "name")), err)
	}
	return nil
}

// User returns the name of the identity that calls the API, which is the role that its tokens open.
func (c *Client) User(ctx context.Context) (string, error) {
	row, err := c.one(ctx, "databricks_workspace.iam.current_user.get", nil, nil)
	if err != nil {
		return "", err
	}
	user := text(row, "userName")
	if user == "" {
		return "", provider.Errorf(provider.API, "the workspace does not say who calls it: the answer has no userName")
	}
	return user, nil
}

// Mint mints a password for an endpoint whose whole name is known.
func (c *Client) Mint(ctx context.Context, n Name, g Grant) (Token, error) {
	body, method, expiry := map[string]any{}, "databricks_workspace.postgres.postgres_credentials.generate", "expire_time"
	switch {
	case n.Instance != "":
		if g.Life != 0 {
			return Token{}, provider.Usagef("the tokens of %s live for an hour: the database service takes no other life", n)
		}
		method, expiry = "databricks_workspace.database.database_credentials.generate", "expiration_time"
		body["instance_names"] = []any{n.Instance}
	case n.Endpoint == "":
		return Token{}, provider.Internalf("a token is minted for %s, which is no endpoint", n)
	default:
		body["endpoint"] = n.String()
	}
	if g.Life != 0 {
		body["ttl"] = strconv.FormatInt(int64(g.Life.Seconds()), 10) + "s"
	}
	if len(g.ReadOnly) > 0 {
		tables := make([]any, len(g.ReadOnly))
		for i, table := range g.ReadOnly {
			tables[i] = map[string]any{"table_name": table}
		}
		body["claims"] = []any{map[string]any{"permission_set": "READ_ONLY", "resources": tables}}
	}
	row, err := c.one(ctx, method, nil, body)
	if err != nil {
		return Token{}, err
	}
	token := Token{Password: provider.Secret(text(row, "token"))}
	if token.Password == "" {
		return Token{}, provider.Errorf(provider.API, "the answer to %s has no token", method)
	}
	if token.Expires, err = time.Parse(time.RFC3339, text(row, expiry)); err != nil {
		return Token{}, provider.Errorf(provider.API, "the answer to %s does not say when the token expires", method).Because(err)
	}
	return token, nil
}
