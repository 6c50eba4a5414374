// Package connect assembles the parts that a statement needs: the documents, the credentials, a client
// and a session. Every door uses it: the command, the shell, pipelines and the driver. A new door calls
// [Open] once, and [Connection.Session] for each of its users.
//
// A session runs one statement at a time. Sessions of one connection may run concurrently: they share
// the documents, the credentials, and the limits on requests to each workspace.
package connect

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/live"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// Options say who is called, and how. The zero value calls the workspace that the environment and
// ~/.databrickscfg name, with the client's defaults.
type Options struct {
	// Profile of ~/.databrickscfg to take host and credential from.
	Profile string
	// Host is the workspace to call if a statement names none.
	Host string
	// Emulator replaces credentials by an emulator's address and token.
	Emulator *Emulator

	// UserAgent names the program in requests.
	UserAgent string
	// Retry says for how long a refused call is repeated.
	Retry dispatch.Retry
	// RequestTimeout is how long one request may take; 0: the client's default; below 0: no limit.
	RequestTimeout time.Duration
	// PageLimit is how many pages of a list are read; 0: all.
	PageLimit int
	// Parallel is how many requests to one workspace run at once; 0: the client's default.
	Parallel int
	// Network says how requests travel, if HTTP is nil.
	Network Network
	// HTTP sends the requests; nil: a client that follows no redirects.
	HTTP *http.Client
	// IdleConnections is how many idle network connections HTTP keeps if it is nil; 0: the default.
	IdleConnections int
	// Logger gets an event for each request; nil: none.
	Logger *slog.Logger
	// Endpoints say how the tables of Lakebase endpoints reach them.
	Endpoints live.Options
}

// Emulator is the address of an emulator and the token that opens it. An emulator comes as no more than
// that, so that programs with the driver do not link it.
type Emulator struct {
	URL     string
	Token   provider.Secret
	Account string // the account that its workspaces belong to
}

// Catalogue returns the documents that the program embeds. A connection's documents have the tables of Lakebase
// endpoints too.
func Catalogue() (*provider.Catalogue, error) {
	compiled, err := openapi.Embedded()
	if err != nil {
		return nil, err
	}
	return provider.NewCatalogue(compiled), nil
}

// Connection holds the parts that the sessions of a door share.
type Connection struct {
	Catalogue *provider.Catalogue

	options    Options
	authorizer dispatch.Authorizer
	limits     dispatch.Limits
	documents  dispatch.Documents
}

// Open prepares a connection. It calls nothing, and looks for no credential before a statement needs it.
func Open(o Options) (*Connection, error) {
	compiled, err := openapi.Embedded()
	if err != nil {
		return nil, err
	}
	c := &Connection{Catalogue: provider.NewCatalogue(live.Documents(compiled)), options: o}
	if c.options.HTTP == nil {
		c.options.HTTP = dispatch.NewHTTP()
		if transport, ok := c.options.HTTP.Transport.(*http.Transport); ok {
			if o.IdleConnections > 0 {
				transport.MaxIdleConns, transport.MaxIdleConnsPerHost = o.IdleConnections, o.IdleConnections
			}
			if o.Emulator == nil {
				o.Network.apply(transport)
			}
		}
	}
	if o.Emulator == nil {
		chain := auth.NewChain(auth.Options{Profile: o.Profile, Host: o.Host, Transport: o.Network.loginTransport()})
		c.authorizer = chain
		if o.Network.Offline {
			c.authorizer = offline{chain}
		}
		return c, nil
	}
	static, err := auth.NewStatic(o.Emulator.URL, o.Emulator.Token)
	if err != nil {
		return nil, err
	}
	static.Account = o.Emulator.Account
	c.authorizer = static
	return c, nil
}

// Session makes a session with a new client, because SET changes the client's page limit. The caller
// sets the session's other fields, and closes it.
func (c *Connection) Session() *engine.Session {
	client := c.client()
	client.Source = live.New(c.options.Endpoints)
	return &engine.Session{Catalogue: c.Catalogue, Client: client, Functions: live.Functions()}
}

// Lakebase makes a client that finds endpoints of Lakebase in a workspace, and mints their passwords. An
// empty name means the configured workspace.
func (c *Connection) Lakebase(workspace string) *lakebase.Client {
	client := c.client()
	client.Deployment, client.Confined = workspace, workspace != ""
	client.PageLimit = 0 // a name is looked up in whole lists
	return lakebase.New(client)
}

func (c *Connection) client() *dispatch.Client {
	return &dispatch.Client{
		Catalogue:      c.Catalogue,
		Authorizer:     c.authorizer,
		HTTP:           c.options.HTTP,
		UserAgent:      c.options.UserAgent,
		Retry:          c.options.Retry,
		RequestTimeout: c.options.RequestTimeout,
		PageLimit:      c.options.PageLimit,
		Parallel:       c.options.Parallel,
		Limits:         &c.limits,
		Documents:      &c.documents,
		Logger:         c.options.Logger,
	}
}

// CheckWorkspace reports whether a deployment name is one, and whether there is a credential for it.
func (c *Connection) CheckWorkspace(name string) error {
	return c.authorizer.Direct(&http.Request{URL: &url.URL{}, Header: http.Header{}}, name)
}

// HostOf returns the host that a deployment name leads to. Names with the same host are one workspace.
func (c *Connection) HostOf(name string) string {
	return (&dispatch.Client{Authorizer: c.authorizer}).HostOf(name)
}

// Close closes the idle network connections.
func (c *Connection) Close() { c.options.HTTP.CloseIdleConnections() }
