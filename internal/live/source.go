package live

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// Options say how endpoints are reached. The zero value is usual.
type Options struct {
	// Port is the port of the endpoints' servers; 0: Lakebase's.
	Port uint16
	// Roots are the certificates that endpoints are verified by; nil: the system's. A server on this machine
	// is connected to without TLS unless Roots is set.
	Roots *x509.CertPool
}

// Source answers the calls of the tables. It keeps the passwords of endpoints until they end. Make it with
// [New]; several goroutines may use it.
type Source struct {
	options Options

	mu        sync.Mutex
	endpoints map[workspaceName]*once[*lakebase.Endpoint]
	users     map[string]*once[string] // by deployment name
	// turn is full while a login to an emulator's server runs: see logIn.
	turn chan struct{}
}

var _ dispatch.Source = (*Source)(nil)

// workspaceName is the name of an endpoint in a workspace.
type workspaceName struct{ deployment, endpoint string }

// New makes a source.
func New(o Options) *Source {
	return &Source{
		options: o, endpoints: map[workspaceName]*once[*lakebase.Endpoint]{}, users: map[string]*once[string]{},
		turn: make(chan struct{}, 1),
	}
}

const (
	// connectTime bounds a login, which may have to wake the endpoint.
	connectTime = 30 * time.Second
	// usualTime bounds a statement unless the client says otherwise.
	usualTime = 45 * time.Second
	// extraTime is how long the server's own time-out may be late.
	extraTime = 5 * time.Second
	// logins is how many passwords are tried.
	logins = 3
)

// job is a call of a table.
type job struct {
	table      table
	deployment string
	endpoint   string
	database   string // empty: the usual one
	sql        string
}

func jobOf(req *dispatch.Request) (job, error) {
	call := req.Call()
	text := func(name string) string {
		value, _ := call.Args[name].(string) // absent: empty
		return value
	}
	_, name, _ := strings.Cut(call.Method.Resource, serviceName+".")
	t, ok := tableOf(name)
	if !ok {
		return job{}, provider.Internalf("no table of an endpoint is called %s", provider.Printable(name))
	}
	j := job{table: t, deployment: call.Deployment, endpoint: text(endpointParam), database: text(databaseParam), sql: t.sql}
	if t.sql == "" {
		j.sql = text(queryParam)
	}
	return j, nil
}

// Describe implements [dispatch.Source].
func (s *Source) Describe(req *dispatch.Request) (place, text string) {
	j, err := jobOf(req)
	if err != nil {
		return "", ""
	}
	return j.place(), strings.TrimSpace(j.sql)
}

// Answer implements [dispatch.Source].
func (s *Source) Answer(ctx context.Context, api *dispatch.Client, req *dispatch.Request, to io.Writer) error {
	j, err := jobOf(req)
	if err != nil {
		return err
	}
	if _, err := lakebase.ParseName(j.endpoint); err != nil || j.endpoint == "" {
		if err == nil {
			err = provider.Usagef("the name of the endpoint is empty")
		}
		return provider.Change(err, func(e *provider.Error) { e.Arg = endpointParam })
	}
	if j.table.sql == "" {
		if err := checkQuery(j.sql); err != nil {
			return err
		}
	}
	limit := usualTime
	switch {
	case api.RequestTimeout > 0:
		limit = api.RequestTimeout
	case api.RequestTimeout < 0:
		limit = 0
	}
	conn, err := s.connect(ctx, api, req, j)
	if err != nil {
		return err
	}
	defer func() { // the rows were read, or count for nothing
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), extraTime)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit+extraTime)
		defer cancel()
	}
	if err := run(ctx, conn, j, limit, to); err != nil {
		return worded(j, err)
	}
	return nil
}

// run runs the statement of a job in a read-only transaction.
func run(ctx context.Context, conn *pgconn.PgConn, j job, limit time.Duration, to io.Writer) error {
	begin := []string{
		"BEGIN TRANSACTION READ ONLY",
		fmt.Sprintf("SET LOCAL statement_timeout = %d", limit.Milliseconds()),
		"SET LOCAL timezone = 'UTC'", "SET LOCAL datestyle = 'ISO'", "SET LOCAL extra_float_digits = 1",
	}
	if j.table.sql != "" { // nobody's table or function stands in for PostgreSQL's
		begin = append(begin, "SET LOCAL search_path = pg_catalog")
	}
	if _, err := conn.Exec(ctx, strings.Join(begin, "; ")).ReadAll(); err != nil {
		return err
	}
	// The extended protocol takes one statement.
	rows := conn.ExecParams(ctx, j.sql, nil, nil, nil, nil)
	err := write(rows, j, bufio.NewWriterSize(to, 32<<10))
	_, fault := rows.Close()
	if err != nil {
		return err
	}
	return fault
}

// write writes the rows of a statement.
func write(rows *pgconn.ResultReader, j job, to *bufio.Writer) error {
	_, _ = to.WriteString(`{"` + rowsKey + `":[`) // Flush reports the errors of all that was written
	var enc *encoder
	for n := 0; rows.NextRow(); n++ {
		if enc == nil {
			var err error
			if enc, err = newEncoder(rows.FieldDescriptions()); err != nil {
				return err
			}
		}
		if n > 0 {
			_ = to.WriteByte(',')
		}
		object := enc.row(rows.Values())
		if j.table.sql != "" {
			_, _ = to.Write(object)
			continue
		}
		_, _ = to.WriteString(`{"` + rowColumn + `":`)
		_, _ = to.Write(object)
		if err := to.WriteByte('}'); err != nil {
			return err
		}
	}
	_, _ = to.WriteString("]}")
	return to.Flush()
}

// connect logs in to the endpoint of a job. A password that the server refuses is replaced by a new one.
func (s *Source) connect(ctx context.Context, api *dispatch.Client, req *dispatch.Request, j job) (*pgconn.PgConn, error) {
	// The server of an emulator has one password for a role, and each new token of any endpoint replaces it:
	// there, a token is used before another one is minted.
	emulated := strings.HasPrefix(req.Host(), "http://") // no other API is without TLS
	if emulated {
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-ctx.Done():
			return nil, provider.Stopped(ctx, "waiting to connect to "+provider.Printable(j.endpoint))
		}
	}
	for tries := 1; ; tries++ {
		conn, endpoint, err := s.logIn(ctx, api, j)
		if err == nil {
			return conn, nil
		}
		refusal, refused := errors.AsType[*pgconn.PgError](err)
		if refused && strings.HasPrefix(refusal.Code, "28") && tries < logins {
			s.forget(j, endpoint)
			continue
		}
		err = worded(j, err)
		if emulated && isUnreachable(err) {
			err = provider.Change(err, func(e *provider.Error) {
				e.Hint = postgres.NoServer
			})
		}
		// Somebody else may have the last connection for a moment, or the server may be starting.
		passing := refused && (refusal.Code == "57P03" || refusal.Code == "53300")
		if ctx.Err() == nil && (passing || isDial(err)) {
			return nil, dispatch.Again(err)
		}
		return nil, err
	}
}

// dialFault marks an error of a connection, for isDial.
type dialFault struct{ error }

func (f dialFault) Unwrap() error { return f.error }

// isDial reports whether a connection to the server failed, and may succeed later.
func isDial(err error) bool {
	_, ok := errors.AsType[dialFault](err)
	return ok
}

// isUnreachable reports whether no server was reached.
func isUnreachable(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return isDial(err) || ok && dns.IsNotFound
}

// logIn finds the endpoint of a job and logs in once. endpoint is nil if it was not found.
func (s *Source) logIn(ctx context.Context, api *dispatch.Client, j job) (*pgconn.PgConn, *lakebase.Endpoint, error) {
	endpoint, err := s.endpoint(ctx, api, j)
	if err != nil {
		return nil, nil, err
	}
	login, err := endpoint.Login(ctx)
	if err != nil {
		return nil, endpoint, err
	}
	config, err := postgres.Template()
	if err != nil {
		return nil, endpoint, err
	}
	config.RuntimeParams = map[string]string{"application_name": "lakeql", "client_encoding": "UTF8"}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	conn, err := postgres.LogIn(ctx, config, login, j.database, s.options.Roots)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	lasting := isDNS && dns.IsNotFound
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Hint == "" && !lasting { // with a hint it is the certificate
		err = provider.Change(err, func(e *provider.Error) { e.Err = dialFault{errors.New("no connection")} })
	}
	return conn, endpoint, err
}

// endpoint returns the endpoint of a job, with a password. Concurrent jobs share one.
func (s *Source) endpoint(ctx context.Context, api *dispatch.Client, j job) (*lakebase.Endpoint, error) {
	client := lakebase.In(api, j.deployment)
	return cell(s, s.endpoints, j.key()).get(ctx, func() (*lakebase.Endpoint, error) {
		user, err := cell(s, s.users, j.deployment).get(ctx, func() (string, error) { return client.User(ctx) })
		if err != nil {
			return nil, err
		}
		return client.Open(ctx, j.endpoint, lakebase.Options{User: user, Port: s.options.Port})
	})
}

func (j job) key() workspaceName { return workspaceName{j.deployment, j.endpoint} }

// forget drops an endpoint whose password was refused, unless another goroutine has done so.
func (s *Source) forget(j job, endpoint *lakebase.Endpoint) {
	if known := cell(s, s.endpoints, j.key()); known.has(endpoint) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.endpoints[j.key()] == known {
			delete(s.endpoints, j.key())
		}
	}
}

// place is where a job connects to, for messages.
func (j job) place() string {
	name, database := j.endpoint, j.database
	if n, err := lakebase.ParseName(name); err == nil {
		name = n.String()
	}
	if database == "" {
		database = lakebase.Database
	}
	return "postgresql://" + provider.Printable(name) + "/" + provider.Printable(database)
}

// worded words an error for the person: it names the endpoint, and what to do.
func worded(j job, err error) error {
	told := &provider.Error{}
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	switch e, ok := errors.AsType[*provider.Error](err); {
	case refused:
		told = j.refusal(refusal)
	case errors.Is(err, io.ErrClosedPipe): // whoever reads says why
		return err
	case !ok:
		told = provider.Errorf(provider.Network, "%s", provider.Printable(err.Error())).Because(err)
	default:
		told = provider.Copy(e, e.Code)
		if errors.Is(err, lakebase.ErrNotOpen) { // the statement is right, and other endpoints may be open
			told.Code = provider.API
		}
	}
	told.Message = provider.Printable(j.endpoint) + ": " + told.Message
	if told.Method == "" { // no call of the API failed
		told.Method, told.URL = connectVerb, j.place()
	}
	return told
}

// refusal words an error of the server. It hides the literals of the user's query, which the server may repeat.
func (j job) refusal(refusal *pgconn.PgError) *provider.Error {
	mask := &provider.Mask{}
	own := j.table.sql == ""
	if own {
		var inner []string
		for _, found := range literals().FindAllStringSubmatch(j.sql, -1) {
			inner = append(inner, found[1]+found[2])
		}
		mask = provider.NewMask(inner...).Whole()
	}
	e := provider.Errorf(provider.API, "%s (SQLSTATE %s)", mask.Text(provider.Printable(refusal.Message)), refusal.Code)
	e.Hint = mask.Text(provider.Printable(refusal.Hint))
	switch code := refusal.Code; {
	case code == "25006" && own: // read_only_sql_transaction
		e.Code, e.Arg = provider.Usage, queryParam
		e.Hint = "the query runs in a read-only transaction; change data with lakeql psql"
	case code == "42601" && own: // syntax_error, which several statements are too
		e.Code, e.Arg = provider.Usage, queryParam
	case code == "57014": // query_canceled
		e.Hint = "--apirequesttimeout is the time-out"
	case code == "3D000": // invalid_catalog_name
		e.Hint = "databases of the endpoint: SELECT name FROM databricks_workspace.postgres.live_databases WHERE endpoint = '…'"
	case strings.HasPrefix(code, "28"):
		e.Code = provider.Unauthorized
	}
	return e
}

// literals matches texts in SQL: '…' and $tag$…$tag$.
var literals = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)'((?:[^']|'')*)'|\$\w*\$(.*?)\$\w*\$`)
})

// checkQuery refuses what reads no rows, before anything is sent. The transaction would stop most of it, but not
// the effects outside of the database, such as those of COPY and NOTIFY.
func checkQuery(sql string) error {
	rest := sql
	for {
		rest = strings.TrimLeft(rest, " \t\r\n\f\v(")
		if after, ok := strings.CutPrefix(rest, "--"); ok {
			_, rest, _ = strings.Cut(after, "\n")
			continue
		}
		after, ok := strings.CutPrefix(rest, "/*")
		if !ok {
			break
		}
		if _, rest, ok = strings.Cut(after, "*/"); !ok {
			break
		}
	}
	word := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }); i >= 0 {
		word = rest[:i]
	}
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN":
		return nil
	}
	return provider.Usagef("the query for the endpoint begins with none of SELECT, WITH, VALUES, TABLE, SHOW and EXPLAIN").
		In(queryParam).Hintf("other statements run with lakeql psql")
}

// once is a value that is made when it is first asked for. After an error it is made again.
type once[T comparable] struct {
	turn  chan struct{} // full while a goroutine uses the fields below
	made  bool
	value T
}

// cell returns the once of a key.
func cell[K, T comparable](s *Source, cells map[K]*once[T], key K) *once[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cells[key] == nil {
		cells[key] = &once[T]{turn: make(chan struct{}, 1)}
	}
	return cells[key]
}

func (o *once[T]) get(ctx context.Context, make func() (T, error)) (T, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		var none T
		return none, provider.Stopped(ctx, "waiting for a password of an endpoint")
	}
	if o.made {
		return o.value, nil
	}
	var err error
	o.value, err = make()
	o.made = err == nil
	return o.value, err
}

// has reports whether the value is made, and is this one.
func (o *once[T]) has(value T) bool {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	return o.made && o.value == value
}
