package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/report"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// reportFlags are the flags of pipeline report.
type reportFlags struct {
	out, address                   string
	serve                          bool
	certificate, key, passwordFile string
}

// reportPassword is the variable with the password of pipeline report --serve.
const reportPassword = "LAKEQL_REPORT_PASSWORD" //nolint:gosec // it is its name

func (c *command) pipelineReportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [folder | pipeline]",
		Short: "Write a page about a store: freshness, changes, failures, costs",
		Long: `Write one file of HTML about the rows of a pipeline: how fresh they are by workspace
and table, which queries failed, what changed by day, the latest changes with their
old and new values, and the computes that cost most. The page needs no network and no
script. It can be mailed and printed.

Failed and old rows are in the page, so the exit status is 0. With --store and no
folder, the page is about all pipelines of the store.

--serve shows the page live until Ctrl-C, with links to the rows of each table,
filtered and sorted, and to the changes of each workspace. It changes nothing in the
store. An address that is not loopback requires TLS and a password, from
--password-file or LAKEQL_REPORT_PASSWORD.`,
		Example: `  lakeql pipeline report inventory -o report.html
  lakeql pipeline report --store postgres://inventory@db.example.com/inventory -o report.html
  lakeql pipeline report inventory --serve=127.0.0.1:8080`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return c.pipelineReport(args, &flags) },
	}
	c.storeFlag(cmd)
	c.workspaceFlags(cmd) // a Lakebase store's password comes from its workspace
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "file to write; - is standard output (default: standard output, if it is no terminal)")
	f.StringVar(&flags.address, "serve", "", "show the page live at this address; port 0 selects a free port")
	f.Lookup("serve").NoOptDefVal = "127.0.0.1:0"
	f.StringVar(&flags.certificate, "tls-cert", "", "file of the server's certificate (PEM)")
	f.StringVar(&flags.key, "tls-key", "", "file of the certificate's key (PEM)")
	f.StringVar(&flags.passwordFile, "password-file", "", "file with the password that --serve asks for, under any user name")
	return cmd
}

func (c *command) pipelineReport(args []string, flags *reportFlags) error {
	flags.serve = flags.address != ""
	if n := len(args); flags.serve && n > 0 && isAddress(args[n-1]) { // --serve 127.0.0.1:8080
		flags.address, args = args[n-1], args[:n-1]
	}
	switch {
	case len(args) > 1:
		return provider.Usagef("%s is one argument too many: the report is about one folder, or one pipeline", provider.Quote(args[1]))
	case flags.serve && flags.out != "":
		return provider.Usagef("--output writes the page, and --serve shows it: give one of them")
	case flags.serve:
		return c.serveReport(args, flags)
	}
	if flags.out == "" && terminal.Is(c.stdout) {
		return provider.Usagef("a page of HTML is not for a terminal").
			Hintf("write it to a file: -o report.html")
	}
	ctx, stop := interruptible()
	defer stop()
	store, options, err := c.reported(ctx, args)
	if err != nil {
		return err
	}
	defer store.Close()
	write := func(w io.Writer) error { return report.Write(ctx, w, store.Reader(options.Name), options) }
	if flags.out == "" || flags.out == "-" {
		return write(c.stdout)
	}
	return render.ToFile(flags.out, write)
}

// reported opens the store that a report is about.
func (c *command) reported(ctx context.Context, args []string) (*pipeline.Store, report.Options, error) {
	argument := ""
	if len(args) > 0 || c.store == "" {
		argument = folderOf(args)
	}
	store, name, err := c.namedStore(ctx, argument, &pipelineFlags{})
	return store, report.Options{Name: name, LooksSecret: dispatch.LooksSecret}, err
}

// isAddress reports whether an argument is an address to listen on, and no folder.
func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil || isPipeline(s) {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// serveReport shows the report until the command is interrupted.
func (c *command) serveReport(args []string, flags *reportFlags) error {
	config, password, err := reportAccess(flags)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	store, options, err := c.reported(ctx, args)
	if err != nil {
		return err
	}
	defer store.Close()
	source := store.Reader(options.Name)
	if err := report.Write(ctx, io.Discard, source, options); err != nil { // so that a wrong name is told now
		return err
	}
	handler, err := report.NewServer(source, options, password)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", flags.address)
	if err != nil {
		return provider.Errorf(provider.Network, "listen: %v", err).Hintf("choose another port, or 0 for a free one")
	}
	scheme := "http"
	if config != nil {
		scheme, listener = "https", tls.NewListener(listener, config)
	}
	if _, err := fmt.Fprintf(c.stdout, "listening on %s://%s/\n", scheme, listener.Addr()); err != nil {
		_ = listener.Close() // the error at hand counts
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: slowRequest, ReadTimeout: slowRequest, WriteTimeout: slowAnswer, IdleTimeout: slowAnswer, MaxHeaderBytes: longestHeader,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients that go away
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return provider.Errorf(provider.Network, "accept connections: %v", err).Because(err)
	case <-ctx.Done():
	}
	_ = server.Close() // whoever reads can ask again
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return provider.Errorf(provider.Network, "accept connections: %v", err).Because(err)
	}
	return nil
}

// The bounds of a request for the report.
const (
	slowRequest   = 10 * time.Second
	slowAnswer    = time.Minute
	longestHeader = 64 << 10
)

// reportAccess reads who may see a served report, and refuses an address at which strangers could.
func reportAccess(flags *reportFlags) (*tls.Config, provider.Secret, error) {
	host, _, err := net.SplitHostPort(flags.address)
	if err != nil {
		return nil, "", provider.Usagef("--serve %s is no address with a port, such as 127.0.0.1:8080", provider.Quote(flags.address))
	}
	config, err := certificateOf(flags.certificate, flags.key)
	if err != nil {
		return nil, "", err
	}
	password, err := secretFrom("--password-file", flags.passwordFile, reportPassword)
	if err != nil {
		return nil, "", err
	}
	if !isLoopback(host) && (config == nil || password == "") {
		return nil, "", provider.Usagef("--serve %s is not a loopback address: anybody who reaches it could read the store", provider.Printable(flags.address)).
			Hintf("give --tls-cert, --tls-key, and a password by --password-file or %s", reportPassword)
	}
	return config, provider.Secret(password), nil
}
