// Package emulator is a Databricks workspace to run and test against: HTTP on a loopback port, with
// state, errors, pages, credentials and faults like the real API's.
//
// Every method of [Options].Catalogue is a route, and the documents' schemas validate requests. The
// answers come from a small made-up company, which [Options].Seed determines, and from what clients
// change. The package shares no code with the parts of lakeql that call the API, so that it can
// judge them.
//
// The package is the HTTP front: routes, validation, credentials, faults, the request log, and the
// handlers that carry out operations. Below it, package documents finds out what each operation
// does, company holds the made-up data, resource keeps what clients change, list chooses the items
// of lists, lakebase has Lakebase's rules, pgserver a real PostgreSQL server, and apierror makes
// the errors.
//
// The Host header selects the workspace: dbc-1.localhost is workspace dbc-1, and 127.0.0.1 or
// localhost is workspace [DefaultWorkspace]. The first authenticated request creates a workspace.
// Workspaces share no state.
//
// Use [Start] for a server on a port of its own, and [New] for the handler alone.
// [Emulator.Requests] returns what clients sent. [Fault] rules make answers go wrong.
package emulator

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/pgserver"
	"github.com/lakeql/lakeql/provider"
)

// DefaultWorkspace is the deployment name behind a bare loopback host.
const DefaultWorkspace = "local"

// Limits and defaults of [Options].
const (
	defaultPageSize = 100
	defaultLogLimit = 10_000
	maxScale        = 1_000_000
)

// Options say what to emulate. Only Catalogue is needed.
type Options struct {
	// Catalogue holds the documents whose methods are served.
	Catalogue *provider.Catalogue

	// Address is where [Start] listens, such as 127.0.0.1:8080; it must be a loopback address.
	// Empty: a free port of 127.0.0.1.
	Address string

	// Seed determines the company's data. The same seed and workspace name give the same data.
	Seed uint64
	// Scale is how many projects each workspace has besides the company's own, at most 1,000,000.
	// They are made when a request reads them, and cost no memory.
	Scale int
	// CreateOnUse creates an endpoint that does not exist, with its project and branch, when a
	// client asks for a credential for it.
	CreateOnUse bool
	// PageSize is how many items a page holds by default. Zero: 100.
	PageSize int

	// AccountID is the account that the workspaces belong to. Empty: one that follows from Seed.
	AccountID string
	// Workspaces are the deployment names that the account lists. They are served, and so is
	// [DefaultWorkspace]; requests to another name get status 404. Empty: the account lists a few,
	// and every deployment name is served.
	Workspaces []string
	// OperationTime is how long clusters take to start and operations to finish, measured by Clock.
	// Zero: they are done at the first look.
	OperationTime time.Duration

	// Postgres is the connection string of a real PostgreSQL server: a URL, or keywords and values.
	// libpq's environment variables and ~/.pgpass complete it. Empty: there is no server.
	//
	// Each database credential becomes the password of a role of the server until it expires by the
	// server's clock. The role has the name of the caller's identity. The emulator creates a role
	// that is missing, with no right but to log in, and lets an existing role log in. A role has
	// one password: of several credentials of an identity, in whichever workspaces, the newest is
	// valid.
	//
	// The emulator creates the databases that the API lists on the endpoint's branch if they are
	// missing. Existing databases stay as they are. Branches and workspaces share databases of the
	// same name. The role lakeql_emulator, which cannot log in, owns the new databases. Roles that
	// get a token are its members, so they may create tables, schemas and trusted extensions there
	// and have no further rights elsewhere. The emulator drops nothing when the API deletes.
	//
	// The string's own role must be a superuser, or have CREATEROLE and CREATEDB. The host of all
	// endpoints is the string's; answers do not contain its port. The first credential connects to
	// the server, unless [Emulator.CheckPostgres] did. If that fails, the request for the credential
	// fails.
	Postgres string

	// Latency delays every request to the API.
	Latency time.Duration
	// RateLimit is how many requests a second each workspace takes before it answers 429. A burst
	// may have one second's worth. Zero: no limit.
	RateLimit float64
	// Faults are in force from the start; see [Emulator.SetFaults].
	Faults []Fault

	// Token is the personal access token, and ClientID and ClientSecret are the OAuth client, that
	// every workspace accepts. Empty: a random one.
	Token        string
	ClientID     string
	ClientSecret string

	// LogLimit is how many requests the log keeps. Zero: 10,000.
	LogLimit int
	// Clock returns the time. Delays take real time in any case. Nil: time.Now.
	Clock func() time.Time
	// Logger gets one debug event a request. Nil: none.
	Logger *slog.Logger
}

// Emulator serves any number of workspaces. It is an http.Handler and may be used by several
// goroutines.
type Emulator struct {
	opts      Options
	served    []string                // deployment names that are served, sorted; empty: every name
	lakebase  *routes                 // of Lakebase alone; nil if the catalogue does not have it
	whole     func() (*routes, error) // of all documents, which are read on first use
	validator *validator
	access    *access
	oauth     *oauthServer
	tokens    *list.Tokens
	faults    *faults
	log       *requestLog
	shapes    *documents.Shapes
	account   *workspace       // what belongs to no workspace
	pgserver  *pgserver.Server // nil: none

	mu         sync.Mutex
	workspaces map[string]*workspace
}

// New makes an emulator. It fails if the documents cannot be read or an option is out of range.
func New(opts Options) (*Emulator, error) {
	switch {
	case opts.Catalogue == nil:
		return nil, provider.Usagef("the emulator needs a catalogue to serve")
	case opts.Scale < 0 || opts.Scale > maxScale:
		return nil, provider.Usagef("scale %d is not between 0 and %d", opts.Scale, maxScale)
	case opts.PageSize < 0:
		return nil, provider.Usagef("page size %d is negative", opts.PageSize)
	case opts.RateLimit < 0:
		return nil, provider.Usagef("rate limit %v is negative", opts.RateLimit)
	case opts.Latency < 0:
		return nil, provider.Usagef("latency %v is negative", opts.Latency)
	case opts.OperationTime < 0:
		return nil, provider.Usagef("operation time %v is negative", opts.OperationTime)
	}
	for _, name := range opts.Workspaces {
		if !isLabel(name) || name == accountsName {
			return nil, provider.Usagef("%q cannot be a workspace's deployment name: it must be a DNS label in lower case, and not %s", name, accountsName)
		}
	}
	var served []string // empty: every name
	if len(opts.Workspaces) > 0 {
		served = append([]string{DefaultWorkspace, accountsName}, opts.Workspaces...)
		slices.Sort(served)
	} else {
		opts.Workspaces = append(company.OwnDeployments(), DefaultWorkspace)
	}
	opts.AccountID = cmp.Or(opts.AccountID, (&company.Company{Seed: opts.Seed}).AccountID())
	opts.PageSize = cmp.Or(opts.PageSize, defaultPageSize)
	if opts.LogLimit <= 0 {
		opts.LogLimit = defaultLogLimit
	}
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	all := documents.NewShapes(opts.Catalogue)
	whole := sync.OnceValues(func() (*routes, error) { return newRoutes(opts.Catalogue, all, false) })
	var lakebaseRoutes *routes
	hasLakebase, err := hasService(opts.Catalogue, lakebaseService)
	if err == nil && hasLakebase {
		lakebaseRoutes, err = newRoutes(opts.Catalogue, all, true)
	} else if err == nil {
		_, err = whole()
	}
	if err != nil {
		return nil, fmt.Errorf("read the routes of the emulator: %w", err)
	}
	server, err := pgserver.New(opts.Postgres)
	if err != nil {
		return nil, err
	}
	access, err := newAccess(&opts)
	if err != nil {
		return nil, fmt.Errorf("make the emulator's credentials: %w", err)
	}
	e := &Emulator{
		opts:       opts,
		served:     served,
		lakebase:   lakebaseRoutes,
		whole:      whole,
		validator:  newValidator(opts.Catalogue),
		access:     access,
		tokens:     list.NewTokens(opts.PageSize),
		faults:     &faults{},
		log:        newRequestLog(opts.LogLimit),
		shapes:     all,
		pgserver:   server,
		workspaces: map[string]*workspace{},
	}
	e.oauth = &oauthServer{opts: &e.opts, keys: access.keys}
	e.account = e.newState(accountsName, company.NewDeployments(opts.Seed, opts.Workspaces))
	e.SetFaults(opts.Faults...)
	return e, nil
}

// routesFor returns the routes of a path. Programs that use Lakebase alone are spared the time to
// read all documents.
func (e *Emulator) routesFor(path string) (*routes, error) {
	if e.lakebase != nil && strings.HasPrefix(path, lakebase.Root) {
		return e.lakebase, nil
	}
	return e.whole()
}

// kinds returns the kinds of resources by name. It reads all documents on first use.
func (e *Emulator) kinds() map[string]*documents.Kind {
	all, err := e.whole()
	if err != nil {
		return nil
	}
	return all.kinds
}

// CheckPostgres reports whether the server of [Options].Postgres answers, and whether the role of
// the string has the rights that it needs. It is nil if there is no server.
func (e *Emulator) CheckPostgres(ctx context.Context) error { return e.pgserver.Check(ctx) }

// Close closes the connection to the server of [Options].Postgres. Later requests for credentials
// for that server fail.
func (e *Emulator) Close() { e.pgserver.Close() }

// AccountID returns the account that the workspaces belong to.
func (e *Emulator) AccountID() string { return e.opts.AccountID }

// Token returns the personal access token that every workspace accepts.
func (e *Emulator) Token() string { return e.opts.Token }

// ClientID returns the OAuth client that may log in to every workspace.
func (e *Emulator) ClientID() string { return e.opts.ClientID }

// ClientSecret returns the OAuth client's secret.
func (e *Emulator) ClientSecret() string { return e.opts.ClientSecret }

// Requests returns the requests in the log, the oldest first. The log has a request before the
// client has its answer.
func (e *Emulator) Requests() []Request { return e.log.requests() }

// Counts returns the counters of all requests since the last reset, in the log or not.
func (e *Emulator) Counts() Counts { return e.log.totals() }

// Reset empties the log and its counters.
func (e *Emulator) Reset() { e.log.reset() }

// handlers returns the handlers of operations with special rules, by verb and path with parameters
// written as {}. [serve] carries out all other operations.
func handlers() map[string]handler {
	all := lakebaseHandlers()
	for _, table := range []map[string]handler{
		jobHandlers(), clusterHandlers(), sqlHandlers(), treeHandlers(), secretHandlers(), scimHandlers(), operationHandlers(), workHandlers(), trackingHandlers(), grantHandlers(),
	} {
		maps.Copy(all, table)
	}
	return all
}
