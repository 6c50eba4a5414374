package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/pgwire"
	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// serving holds the flags of srv.
type serving struct {
	access

	port                   int
	stackqlTLS             string
	readOnly               bool
	connections, running   int
	idle, statement, drain time.Duration
	audit                  string
}

// passwordVariable is where the password of srv may stand in the environment.
const passwordVariable = "LAKEQL_SRV_PASSWORD" //nolint:gosec // a name

func (c *command) srvCommand() *cobra.Command {
	var o serving
	cmd := &cobra.Command{
		Use:   "srv",
		Short: "Serve statements to clients of PostgreSQL",
		Long: `Serve statements to psql, drivers, and tools by PostgreSQL's protocol, until Ctrl-C.

Each client has a session of its own, which runs one statement at a time. All
clients share the credentials and the limits on requests to each workspace.
Providers are databases, services are schemas, and resources are tables: psql's
\dn, \dt and \d list them without a call of the API. A name may have three parts
everywhere, and two parts in the database of its provider. Clients share the
tables and views of the store, which is that of exec and shell, or --store.

There are no transactions: each statement takes effect at once.

On a loopback address, clients need no password. Any other address requires TLS
(--tls-cert, --tls-key), and a password, from --password-file or the environment
variable ` + passwordVariable + `, or certificates of the clients (--tls-client-ca).
With both, a client needs both.`,
		Example: `  lakeql srv --port 5466
  psql 'host=127.0.0.1 port=5466 dbname=databricks_workspace'

  # without an account
  lakeql srv --emulator`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.serve(o) },
	}
	c.connectionFlags(cmd)
	f := cmd.Flags()
	o.variable = passwordVariable
	accessFlags(cmd, &o.access)
	f.StringVar(&o.address, "pgsrv.address", "127.0.0.1", "address to listen on")
	for _, prefix := range []string{"", "pgsrv."} {
		f.IntVar(&o.port, prefix+"port", 5466, "port to listen on; 0 selects a free port")
	}
	f.StringVar(&o.stackqlTLS, "pgsrv.tls", "", "files of certificate and key, and authorities of clients, as StackQL has them: "+stackqlTLSForm)
	for _, name := range []string{"pgsrv.address", "pgsrv.port", "pgsrv.tls"} {
		_ = f.MarkHidden(name) // fails for an unknown flag only
	}
	f.BoolVar(&o.readOnly, "read-only", false, "refuse statements that may change something: EXEC, INSERT, UPDATE, DELETE, CREATE, DROP")
	f.IntVar(&o.connections, "max-connections", 100, "maximum number of clients at once")
	f.IntVar(&o.running, "max-statements", 16, "maximum number of statements that run at once; others wait. Each takes up to --memory")
	f.DurationVar(&o.idle, "idle-timeout", 0, "end a connection without a message for that long; 0 sets no limit")
	f.DurationVar(&o.statement, "statement-timeout", 0, "end a statement after that long; 0 sets no limit")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "how long running statements may go on when the server ends")
	f.StringVar(&o.audit, "audit", "", "file to which a line of JSON is appended for each statement, with credentials masked; - is standard error")
	return cmd
}

func (c *command) serve(o serving) error {
	options, err := c.servingOptions(o)
	if err != nil {
		return err
	}
	found, newSession, err := c.sessions(stateFile("store.db"))
	if err != nil {
		return err
	}
	defer found.close()
	options.Catalogue = found.Catalogue
	options.Session = func(note func(string)) pgwire.Runner {
		session := newSession()
		session.Note = note
		return sqlSession{session}
	}
	describer := newSession()
	defer describer.Close()
	options.Describe = describer.ResourceColumns
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(o.address, strconv.Itoa(o.port)))
	if err != nil {
		return provider.Errorf(provider.Network, "listen: %v", err).Hintf("choose another --port, or 0 for a free one")
	}
	ctx, stop := interruptible()
	defer stop()
	if _, err := fmt.Fprintf(c.stdout, "listening on %s\n", listener.Addr()); err != nil {
		_ = listener.Close() // the error at hand counts
		return err
	}
	return pgwire.New(options).Serve(ctx, listener)
}

// sqlSession gives a session's statements their values by number.
type sqlSession struct{ *engine.Session }

func ordinals(values []any) []engine.Arg {
	args := make([]engine.Arg, len(values))
	for i, value := range values {
		args[i] = engine.Arg{Ordinal: i + 1, Value: value}
	}
	return args
}

// Run runs statements.
func (s sqlSession) Run(ctx context.Context, text string, values []any) iter.Seq2[provider.Rows, error] {
	return s.RunArgs(ctx, text, ordinals(values))
}

// Describe describes the rows of a statement.
func (s sqlSession) Describe(text string, values []any) ([]provider.Column, error) {
	return s.Session.Describe(text, ordinals(values))
}

// Tables lists the tables and views of the store.
func (s sqlSession) Tables(known string) (version string, tables []pgcatalog.Table, err error) {
	if version, err = s.Stores().Version(); err != nil || version == known {
		return version, nil, err
	}
	objects, err := s.Stores().Objects()
	if err != nil {
		return "", nil, err
	}
	for _, o := range objects {
		t := pgcatalog.Table{Schema: o.Schema(), Name: o.Name, Definition: o.Definition, Kind: pgcatalog.PlainTable}
		switch o.Kind {
		case statement.View:
			t.Kind = pgcatalog.View
		case statement.MaterializedView:
			t.Kind, t.Comment = pgcatalog.MaterializedView, "Refreshed "+o.Refreshed
		case statement.TableObject:
		}
		from := `"` + strings.ReplaceAll(o.Name, `"`, `""`) + `"`
		if t.Kind != pgcatalog.View { // a view has no schema in SQLite
			from = o.Schema() + "." + from
		}
		t.Columns, err = s.Describe("SELECT * FROM "+from, nil)
		if err != nil { // a view of what is not there now
			t.Comment = "Cannot be read: " + provider.Printable(err.Error())
		}
		tables = append(tables, t)
	}
	return version, tables, nil
}

// servingOptions reads the flags, and refuses a server that strangers could use.
func (c *command) servingOptions(o serving) (pgwire.Options, error) {
	options := pgwire.Options{
		ReadOnly: o.readOnly, Connections: o.connections, Running: o.running,
		IdleTimeout: o.idle, StatementTimeout: o.statement, DrainTimeout: o.drain,
	}
	if o.port < 0 || o.port > 65535 || o.connections < 1 || o.running < 1 || o.idle < 0 || o.statement < 0 || o.drain < 0 {
		return options, provider.Usagef("--port is no port, --max-connections or --max-statements is below 1, or a time-out is negative")
	}
	if o.stackqlTLS != "" {
		var files struct {
			KeyFilePath, CertFilePath string
			ClientCAs                 []string
		}
		if err := json.Unmarshal([]byte(o.stackqlTLS), &files); err != nil || files.KeyFilePath == "" || files.CertFilePath == "" {
			return options, provider.Usagef("--pgsrv.tls is not of the form %s", stackqlTLSForm).Hintf("--tls-cert, --tls-key and --tls-client-ca say the same")
		}
		o.certificate, o.key = files.CertFilePath, files.KeyFilePath
		for _, encoded := range files.ClientCAs {
			pem, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return options, provider.Usagef("--pgsrv.tls: clientCAs holds a text that is not base64").Hintf("encode the PEM file: base64 -w 0 ca.crt")
			}
			o.authorities = append(append(o.authorities, pem...), '\n')
		}
	}
	var err error
	if options.TLS, options.Password, err = o.read(); err != nil {
		return options, err
	}
	if o.audit != "" {
		write, err := c.auditTo(o.audit)
		if err != nil {
			return options, err
		}
		options.Audit = func(r pgwire.Record) {
			write(map[string]any{
				"time": r.Time.UTC(), "client": r.Client, "certificate": r.Certificate, "user": r.User, "database": r.Database,
				"statement": r.Text, "rows": r.Rows, "seconds": r.Duration.Seconds(), "sqlstate": r.State,
			})
		}
	}
	return options, nil
}

// stackqlTLSForm is what --pgsrv.tls takes.
const stackqlTLSForm = `{"keyFilePath": "…", "certFilePath": "…", "clientCAs": ["PEM in base64"]}`

// auditTo returns a function that appends records to a file, each as a line of JSON.
func (c *command) auditTo(name string) (func(record map[string]any), error) {
	to := c.stderr
	if name != "-" {
		f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, provider.Usagef("open --audit: %v", err)
		}
		to = f
	}
	var mu sync.Mutex
	lines := json.NewEncoder(to)
	lines.SetEscapeHTML(false)
	return func(record map[string]any) {
		mu.Lock()
		defer mu.Unlock()
		_ = lines.Encode(record) // the statement has ended; a full disk is nothing that its client could help
	}, nil
}
