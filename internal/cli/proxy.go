package cli

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/proxy"
	"github.com/lakeql/lakeql/provider"
)

// proxying holds the flags of proxy.
type proxying struct {
	access

	endpoint              *endpointOptions
	port                  int
	roots                 string
	connections           int
	lifetime, idle        time.Duration
	start, connect, drain time.Duration
	metrics, logFormat    string
}

const (
	// proxyPassword is where the password of the proxy may stand in the environment.
	proxyPassword = "LAKEQL_PROXY_PASSWORD" //nolint:gosec // a name
	// proxyVariables begin the names of environment variables that set flags of the proxy.
	proxyVariables = "LAKEQL_PROXY_"
	// usualLifetime is less than the day after which Lakebase ends idle connections.
	usualLifetime = 20 * time.Hour
)

func (c *command) proxyCommand() *cobra.Command {
	o := &proxying{}
	cmd := &cobra.Command{
		Use:   "proxy [ENDPOINT[=PORT|=/SOCKET]]...",
		Short: "Serve Lakebase endpoints on this machine, without a password",
		Long: `Listen on this machine and pass connections to endpoints of Lakebase, until Ctrl-C
or SIGTERM. Each new connection is logged in with a token over verified TLS. Clients
need neither password nor TLS. A token is minted shortly before the last one ends,
once for all connections.

` + endpointNames + `

Behind =, PORT is a local port (0 selects a free one), and /SOCKET is the folder of a
Unix-domain socket, or the socket itself if it is called .s.PGSQL.PORT. Endpoints
without either get the ports from --port on.

A client that names no database gets --database. The role is always that of the token.

Whoever can connect uses your credential: on a machine with other users, serve a
socket, which belongs to you alone, or set a password. An --address that is no
loopback address requires TLS (--tls-cert, --tls-key), and a password, from
--password-file or ` + proxyPassword + `, or certificates of the clients
(--tls-client-ca).

Each flag may be set in the environment: ` + proxyVariables + `MAX_CONNECTIONS=20.`,
		Example: `  lakeql proxy orders
  psql 'host=127.0.0.1 port=5433 dbname=databricks_postgres'

  # two endpoints, one by a socket, with metrics and probes
  lakeql proxy orders=6432 payroll/development=/run/user/1000/payroll --metrics 127.0.0.1:9187`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return flagsFromEnvironment(cmd.Flags()) },
		RunE:    func(_ *cobra.Command, args []string) error { return c.proxy(o, args) },
	}
	o.endpoint, o.variable = c.endpointFlags(cmd), proxyPassword
	accessFlags(cmd, &o.access)
	rootsFlag(cmd, &o.roots)
	f := cmd.Flags()
	f.IntVar(&o.port, "port", 5433, "local port of the first endpoint without one; the next have the next ones")
	f.IntVar(&o.connections, "max-connections", 100, "maximum number of connections at once")
	f.DurationVar(&o.lifetime, "lifetime", usualLifetime, "age from which a connection ends when it waits between two transactions; 0 sets no limit")
	f.DurationVar(&o.idle, "idle-timeout", 0, "end a connection that waits between two transactions for that long; 0 sets no limit")
	f.DurationVar(&o.start, "login-timeout", 10*time.Second, "how long a client may take to log in")
	f.DurationVar(&o.connect, "connect-timeout", 30*time.Second, "how long connecting to an endpoint may take, which may have to wake")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "how long transactions may go on when the proxy ends")
	f.StringVar(&o.metrics, "metrics", "", "address for Prometheus metrics at /metrics, and for /livez and /readyz, such as 127.0.0.1:9187")
	f.StringVar(&o.logFormat, "log", "text", "log each connection to standard error as a line of text or json; empty logs nothing")
	return cmd
}

// rootsFlag adds the flag that names the certificates that endpoints are verified by.
func rootsFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "endpoint-ca", "", "file of the certificates (PEM) that endpoints are verified by (default: the system's)")
}

// readRoots reads the file of rootsFlag; nil: the system's.
func readRoots(name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // nil is the system's
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, provider.Usagef("read --endpoint-ca: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, provider.Usagef("--endpoint-ca %s has no certificate in PEM", provider.Printable(name))
	}
	return pool, nil
}

// flagsFromEnvironment sets the flags that the command line does not set, and the environment does.
func flagsFromEnvironment(f *pflag.FlagSet) error {
	var err error
	f.VisitAll(func(flag *pflag.Flag) {
		name := proxyVariables + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(flag.Name))
		value, ok := os.LookupEnv(name)
		if flag.Changed || !ok || err != nil {
			return
		}
		if f.Set(flag.Name, value) != nil { // the error repeats the value
			err = provider.Usagef("the environment variable %s has no value for --%s", name, flag.Name)
		}
	})
	return err
}

// target is an argument of proxy.
type target struct {
	endpoint string
	socket   string // empty: a port
	port     int    // -1: the next one
}

func parseTarget(arg string) (target, error) {
	name, where, given := strings.Cut(arg, "=")
	t := target{endpoint: name, port: -1}
	switch {
	case !given:
	case strings.ContainsRune(where, '/'):
		t.socket = where
	default:
		port, err := strconv.Atoi(where)
		if err != nil || port < 0 || port > 65535 {
			return t, provider.Usagef("%s is neither a port nor the path of a socket", provider.Quote(where)).
				Hintf("write %s=6432, or %s=/path/to/folder", provider.Printable(name), provider.Printable(name))
		}
		t.port = port
	}
	return t, nil
}

func (c *command) proxy(o *proxying, args []string) error {
	targets, options, err := c.proxyOptions(o, args)
	if err != nil {
		return err
	}
	found, err := c.connectToMint()
	if err != nil {
		return err
	}
	defer found.close()
	ctx, stop := interruptible()
	defer stop()
	client, opened := found.Lakebase(""), make([]*lakebase.Endpoint, len(targets))
	opening, openCtx := errgroup.WithContext(ctx)
	for i, t := range targets {
		opening.Go(func() (err error) {
			opened[i], err = client.Open(openCtx, t.endpoint, o.endpoint.Options)
			return err
		})
	}
	if err := opening.Wait(); err != nil {
		return err
	}
	routes, lines, err := listenAll(ctx, o, targets, opened)
	if err != nil {
		return err
	}
	server, err := proxy.New(options, routes...)
	if err != nil {
		return err
	}
	if o.metrics != "" {
		closeMetrics, err := c.serveMetrics(ctx, o.metrics, server.Handler())
		if err != nil {
			return err
		}
		defer closeMetrics()
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(c.stdout, line); err != nil {
			return err
		}
	}
	return server.Serve(ctx)
}

// proxyOptions reads the flags and arguments.
func (c *command) proxyOptions(o *proxying, args []string) ([]target, proxy.Options, error) {
	options := proxy.Options{
		MaxConnections: o.connections, Lifetime: o.lifetime, IdleTimeout: o.idle,
		StartTimeout: o.start, ConnectTimeout: o.connect, DrainTimeout: o.drain,
	}
	if o.port < 0 || o.port > 65535 || o.connections < 1 || o.lifetime < 0 || o.idle < 0 || o.start <= 0 || o.connect <= 0 || o.drain <= 0 {
		return nil, options, provider.Usagef("--port is no port, --max-connections is below 1, or a time-out is negative")
	}
	err := o.endpoint.check()
	if err != nil {
		return nil, options, err
	}
	if options.TLS, options.Password, err = o.read(); err != nil {
		return nil, options, err
	}
	if options.Roots, err = readRoots(o.roots); err != nil {
		return nil, options, err
	}
	if options.Logger, err = c.logger(o.logFormat); err != nil {
		return nil, options, err
	}
	if len(args) == 0 {
		args = []string{""}
	}
	targets, next := make([]target, len(args)), o.port
	for i, arg := range args {
		if targets[i], err = parseTarget(arg); err != nil {
			return nil, options, err
		}
		if targets[i].port < 0 && targets[i].socket == "" {
			targets[i].port = next
			if next > 0 { // from 0 on, each is a free one
				next++
			}
		}
	}
	return targets, options, nil
}

// listenAll listens for each endpoint. lines say where.
func listenAll(ctx context.Context, o *proxying, targets []target, opened []*lakebase.Endpoint) (routes []proxy.Route, lines []string, err error) {
	defer func() {
		if err != nil {
			for _, route := range routes {
				_ = route.Listener.Close() // the error at hand counts
			}
		}
	}()
	for i, t := range targets {
		var listener net.Listener
		where, name := "", opened[i].Name().String()
		if t.socket != "" {
			var dir string
			var port int
			if listener, dir, port, err = proxy.ListenSocket(ctx, t.socket); err != nil {
				return routes, nil, err
			}
			where = fmt.Sprintf("host=%s port=%d", dir, port)
		} else {
			listener, err = new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(o.address, strconv.Itoa(t.port)))
			if err != nil {
				return routes, nil, provider.Errorf(provider.Network, "listen for %s: %v", name, err).Hintf("choose another port: %s=6432, or =0 for a free one", t.endpoint)
			}
			where = "host=" + o.address
			if a, ok := listener.Addr().(*net.TCPAddr); ok {
				where += fmt.Sprintf(" port=%d", a.Port)
			}
		}
		routes = append(routes, proxy.Route{Name: name, Endpoint: opened[i], Listener: listener})
		lines = append(lines, fmt.Sprintf("%s dbname=%s leads to %s", where, opened[i].Database(), name))
	}
	return routes, lines, nil
}
