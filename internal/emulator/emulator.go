// Package emulator is a Databricks workspace to run and test against: real HTTP on a loopback
// port, state behind it, and the errors, pages, credentials and bad days of the real API.
//
// What it serves comes from the documents: every method of [Options].Catalogue is a route, and
// requests are judged by the documents' schemas. What it answers comes from a small made-up
// company that [Options].Seed determines, and from what clients change. It shares no code with the
// parts of lakeql that call the API, so that it can judge them.
//
// Lists choose by their parameters and filters. Those that the emulator cannot read it refuses, as
// more rows than were asked for would be a lie. Their order is the one that the API documents, if it does
// (runs of jobs: the newest first), and no other, whatever a request says.
//
// Workspaces are told apart by the Host header: a request to dbc-1.localhost reaches workspace
// dbc-1, one to 127.0.0.1 or localhost reaches workspace [DefaultWorkspace]. A workspace comes into
// being with its first authenticated request, and none sees another's state.
//
// Use [Start] for a server on a port of its own, [New] for the handler alone. Either way
// [Emulator.Requests] tells what clients sent, and [Fault] rules make answers go wrong.
package emulator

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
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
	// They are worked out when asked for and cost no memory.
	Scale int
	// CreateOnUse makes a well-formed endpoint that does not exist, with its project and branch,
	// when a credential for it is asked for.
	CreateOnUse bool
	// PageSize is how many items a page holds where the request does not say. Zero: 100.
	PageSize int

	// AccountID is the account that the workspaces belong to. Empty: one that follows from Seed.
	AccountID string
	// Workspaces are the deployment names that the account lists. Empty: a few. Every deployment
	// name is served, listed or not.
	Workspaces []string
	// OperationTime is how long what takes time takes: clusters to start, operations to finish. It
	// is measured by Clock. Zero: it is done when it is asked for the first time.
	OperationTime time.Duration

	// Postgres is the connection string of a real PostgreSQL server (a URL, or keywords and values;
	// what it leaves out is found in libpq's environment variables and ~/.pgpass). Each database
	// credential that is minted becomes the password of a role there, named as the caller's
	// identity, until the credential expires by the server's clock. A role that is missing is made,
	// with no right but to log in; one that is there may log in from then on. The databases that the
	// API lists on the endpoint's branch are made where the server has none of the name; one of the
	// name that is there stays as it is, and branches and workspaces that name the same share it. What
	// is made belongs to the role lakeql_emulator, which cannot log in and owns nothing else. Each role
	// that gets a token is a member of it, so that it may create tables, schemas and trusted
	// extensions in these databases, and no more elsewhere than anybody who can log in. Nothing is
	// dropped when the API deletes. The string's own role has to be a superuser, or to have
	// CREATEROLE and CREATEDB. A role has one password: of several credentials of an identity, whatever the workspace, the newest opens the
	// server. Endpoints' hosts are the host of the string; its port is not in the API's answers. The
	// server is connected to when the first credential is minted, and where that fails, this call
	// fails and no other. Empty: none.
	Postgres string

	// Latency is added to every call of the API.
	Latency time.Duration
	// RateLimit is how many calls a second each workspace takes before it answers 429, with a
	// burst of one second's worth. Zero: no limit.
	RateLimit float64
	// Faults go wrong from the start; see [Emulator.SetFaults].
	Faults []Fault

	// Token is the personal access token that opens every workspace, ClientID and ClientSecret
	// the OAuth client that does. Each is made up where it is empty.
	Token        string
	ClientID     string
	ClientSecret string

	// LogLimit is how many requests the log keeps. Zero: 10,000.
	LogLimit int
	// Clock tells the time; nil: time.Now. Delays always take real time.
	Clock func() time.Time
	// Logger gets one debug event a request; nil: none.
	Logger *slog.Logger
}

// Emulator answers for any number of workspaces. It is an http.Handler and may be used by
// several goroutines.
type Emulator struct {
	opts      Options
	lakebase  *routes                 // of Lakebase alone; nil where the catalogue has it not
	whole     func() (*routes, error) // of all documents, read on first use
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

// New makes an emulator. It fails when the documents cannot be read or an option is out of range.
func New(opts Options) (*Emulator, error) {
	switch {
	case opts.Catalogue == nil:
		return nil, usage("the emulator needs a catalogue to serve")
	case opts.Scale < 0 || opts.Scale > maxScale:
		return nil, usage("scale %d is not between 0 and %d", opts.Scale, maxScale)
	case opts.PageSize < 0:
		return nil, usage("page size %d is negative", opts.PageSize)
	case opts.RateLimit < 0:
		return nil, usage("rate limit %v is negative", opts.RateLimit)
	case opts.Latency < 0:
		return nil, usage("latency %v is negative", opts.Latency)
	case opts.OperationTime < 0:
		return nil, usage("operation time %v is negative", opts.OperationTime)
	}
	for _, name := range opts.Workspaces {
		if !isLabel(name) || name == accountsName {
			return nil, usage("%q cannot be a workspace's deployment name: it must be a DNS label in lower case, and not %s", name, accountsName)
		}
	}
	if len(opts.Workspaces) == 0 {
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
	hasLakebase, err := hasLakebase(opts.Catalogue)
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

// routesFor gives the routes that lead to a path. Most programs that try Lakebase call nothing else.
func (e *Emulator) routesFor(path string) (*routes, error) {
	if e.lakebase != nil && strings.HasPrefix(path, lakebase.Root) {
		return e.lakebase, nil
	}
	return e.whole()
}

// kinds gives the kinds of resources by their names. The documents were read when this is asked.
func (e *Emulator) kinds() map[string]*documents.Kind {
	all, err := e.whole()
	if err != nil {
		return nil
	}
	return all.kinds
}

// Close ends the connection to [Options].Postgres, if there is one. Credentials cannot be minted
// for that server any more.
func (e *Emulator) Close() { e.pgserver.Close() }

// AccountID gives the account that the workspaces belong to.
func (e *Emulator) AccountID() string { return e.opts.AccountID }

// Token gives the personal access token that opens every workspace.
func (e *Emulator) Token() string { return e.opts.Token }

// ClientID gives the OAuth client that may log in to every workspace.
func (e *Emulator) ClientID() string { return e.opts.ClientID }

// ClientSecret gives the OAuth client's secret.
func (e *Emulator) ClientSecret() string { return e.opts.ClientSecret }

// Requests gives what the log keeps, the oldest first. A request is in it before its answer is
// sent.
func (e *Emulator) Requests() []Request { return e.log.requests() }

// Counts gives the counters of all requests since the last reset, kept or not.
func (e *Emulator) Counts() Counts { return e.log.totals() }

// Reset empties the log and its counters.
func (e *Emulator) Reset() { e.log.reset() }

// handlers gives what has rules of its own, by verb and path with the parameters' names left out.
// All other operations are carried out by their plans.
func handlers() map[string]handler {
	all := lakebaseHandlers()
	for _, table := range []map[string]handler{
		jobHandlers(), clusterHandlers(), sqlHandlers(), treeHandlers(), secretHandlers(), scimHandlers(), operationHandlers(), workHandlers(), trackingHandlers(),
	} {
		maps.Copy(all, table)
	}
	return all
}

func usage(format string, args ...any) error {
	return &provider.Error{Code: provider.Usage, Message: fmt.Sprintf(format, args...)}
}
