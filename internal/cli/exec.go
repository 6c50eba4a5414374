package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) execCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec [statement]",
		Short: "Run statements and print their rows",
		Long: `Run the statements of an argument, a file (-i), or standard input, and print the
rows of each.

lakeql checks all statements before it runs the first. If one is invalid, lakeql
sends nothing. Rows go to standard output, errors to standard error.

All flags of StackQL are accepted, those without an effect here as well.

Exit status:
  0  The statements succeeded, and all rows were returned.
  1  A statement failed: the API returned an error or did not answer.
  2  The command line or a statement is wrong.
  3  The result is partial: as requested, or because rows are old or in part.
  4  The credential is missing, invalid, or lacks a permission.`,
		Example: `  # list projects, without an account
  lakeql exec --emulator "EXEC databricks_workspace.postgres.postgres_projects.list"

  # mint a password for a Lakebase endpoint
  lakeql exec -o json "EXEC databricks_workspace.postgres.postgres_credentials.generate
    @deployment_name = 'dbc-abcd0123-a1bc',
    @endpoint = 'projects/p/branches/b/endpoints/e'"

  # fill in the placeholders of a statement in a file
  lakeql exec -i generate.sql --var endpoint=projects/p/branches/b/endpoints/e

  # print the request without sending it
  lakeql exec --dryrun -o jsonl -i generate.sql`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.exec(args) },
	}
	c.connectionFlags(cmd)
	c.outputFlags(cmd)
	c.notesFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&c.infile, "infile", "i", "", "file with the statements; - reads standard input")
	f.StringVarP(&c.dataFile, "iqldata", "q", "", "JSON or Jsonnet (.jsonnet) file with the values of {{ .name }} and {{ name }} in the statements")
	f.StringArrayVar(&c.vars, "var", nil, "name=value, the value of {{ .name }} and {{ name }} in the statements, and of std.extVar in Jsonnet; repeatable, or several as a=1,b=2")
	return cmd
}

// stackqlFiles leaves out the files that StackQL names if it means none.
func (c *command) stackqlFiles() {
	if c.infile == "stdin" {
		c.infile = ""
	}
	if c.outfile == "stdout" {
		c.outfile = ""
	}
}

func (c *command) exec(args []string) error {
	c.stackqlFiles()
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	text, err := c.readStatements(args)
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	if c.source, err = c.fill(ctx, text); err != nil {
		return err
	}
	display := c.newDisplay()
	session, closeSession, err := c.session()
	if err != nil {
		return err
	}
	defer closeSession()
	if err := c.oneResult(session, opts.Format); err != nil {
		return err
	}
	session.Client.Bytes = opts.Format == render.Raw
	session.Foreign = c.foreign
	display.watch(c, session)
	opts.Screen = display.layout()
	err = c.toOutput(func(w io.Writer) error { return runAll(ctx, session, c.source, display, w, opts) })
	if err != nil {
		c.shown = session.Redact(c.source, err)
		return err
	}
	if session.Incomplete() {
		return incomplete()
	}
	return nil
}

// incomplete is the error of a run that went on without something.
func incomplete() error {
	return provider.Errorf(provider.Partial, "the result is not complete: what is missing is told above")
}

// isWhole reports whether an output format is one document, which the rows of a second statement would
// spoil.
func isWhole(format render.Format) bool {
	return format == render.JSON || format == render.Raw || format == render.Parquet
}

// oneResult checks that one statement at most returns rows if the output is one document.
func (c *command) oneResult(session *engine.Session, format render.Format) error {
	if !isWhole(format) {
		return nil
	}
	results, err := session.Results(c.source)
	if err != nil || len(results) < 2 { // the session reports the error
		return nil //nolint:nilerr // see above
	}
	hint := "use -o jsonl, or run each statement by itself"
	if format != render.JSON {
		hint = "run each statement by itself"
	}
	return provider.Usagef("the output is one %s document, and this is the second statement that returns rows", format).
		At(results[1]).
		Hintf("%s", hint)
}

// runAll runs the statements and writes the rows of each. A statement without columns leaves nothing
// in an output that is one document, unless no statement has columns.
func runAll(ctx context.Context, session *engine.Session, text string, display *display, w io.Writer, opts render.Options) error {
	whole, written := isWhole(opts.Format), false
	end := display.begin()
	defer func() { end() }()
	for rows, err := range session.Run(ctx, text) {
		if err != nil {
			return err
		}
		to := w
		if whole && len(rows.Columns()) == 0 {
			to = io.Discard
		} else {
			written = true
		}
		var err error
		if to == io.Discard {
			_, err = render.Write(ctx, to, rows, opts)
		} else {
			_, err = display.show(ctx, to, rows, opts)
		}
		if err := errors.Join(err, rows.Close()); err != nil {
			return err
		}
		end()
		end = display.begin()
	}
	if written || !whole {
		return nil
	}
	_, err := render.Write(ctx, w, provider.NewRows(nil, nil), opts)
	return err
}

// readStatements finds the text to run.
func (c *command) readStatements(args []string) (string, error) {
	var data []byte
	var err error
	switch {
	case len(args) > 0 && c.infile != "":
		return "", provider.Usagef("a statement and a file (-i) are given").Hintf("give one of them")
	case len(args) > 0:
		data = []byte(args[0])
	case c.infile != "" && c.infile != "-":
		data, err = os.ReadFile(c.infile)
	default:
		if c.infile == "" && terminal.Is(c.stdin) {
			return "", provider.Usagef("no statement given").
				Hintf("give one as an argument or in a file (-i), or start the prompt: lakeql shell")
		}
		data, err = io.ReadAll(c.stdin)
	}
	if err != nil {
		return "", provider.Usagef("read the statements: %v", err).Because(err)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	if !utf8.ValidString(text) {
		return "", provider.Usagef("the statements are not valid UTF-8").Hintf("save the file as UTF-8")
	}
	if strings.TrimSpace(text) == "" {
		return "", provider.Usagef("no statement given").Hintf("see lakeql exec --help")
	}
	return text, nil
}

// toOutput calls write with standard output, or with a file, which appears when it is complete.
func (c *command) toOutput(write func(io.Writer) error) error {
	if c.outfile == "" || c.outfile == "-" {
		return write(c.stdout)
	}
	return render.ToFile(c.outfile, write)
}
