package cli

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// connection is what every call needs: the documents, and who may be called with which credential.
type connection struct {
	command    *command
	catalogue  *provider.Catalogue
	authorizer dispatch.Authorizer
	close      func()
}

// connect finds out who is called.
func (c *command) connect() (*connection, error) {
	catalogue, err := embeddedCatalogue()
	if err != nil {
		return nil, err
	}
	if c.requestTimeout <= 0 {
		return nil, &provider.Error{Code: provider.Usage, Message: "--apirequesttimeout is not a number of seconds above 0"}
	}
	if c.retryTimeout < 0 {
		return nil, &provider.Error{Code: provider.Usage, Message: "--retry-timeout is negative"}
	}
	if c.pageLimit < 0 || c.parallel < 1 {
		return nil, &provider.Error{Code: provider.Usage, Message: "--http.response.pageLimit is below 0, or --execution.concurrency.limit below 1"}
	}
	found := &connection{command: c, catalogue: catalogue, close: func() {}}
	if !c.emulator {
		found.authorizer = auth.NewChain(auth.Options{Profile: c.profile, Host: c.host})
		return found, nil
	}
	server, err := emulator.Start(emulator.Options{Catalogue: catalogue, CreateOnUse: true})
	if err != nil {
		return nil, err
	}
	found.close = func() { _ = server.Close() } // nothing is lost with it
	static, err := auth.NewStatic(server.URL(), provider.Secret(server.Token()))
	if err != nil {
		found.close()
		return nil, err
	}
	static.Account = server.AccountID()
	found.authorizer = static
	return found, nil
}

// client makes a client as the flags have it.
func (n *connection) client() *dispatch.Client {
	c := n.command
	budget := c.retryTimeout
	if budget == 0 {
		budget = -1
	}
	client := &dispatch.Client{
		Catalogue:      n.catalogue,
		Authorizer:     n.authorizer,
		HTTP:           dispatch.NewHTTP(),
		UserAgent:      "lakeql/" + versionNumber(),
		Retry:          dispatch.Retry{Budget: budget},
		RequestTimeout: time.Duration(c.requestTimeout) * time.Second,
		PageLimit:      c.pageLimit,
		Parallel:       c.parallel,
	}
	if c.verbose {
		client.Logger = slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return client
}

// session wires what a statement needs. The function that comes with it ends what runs for it.
func (c *command) session() (*engine.Session, func(), error) {
	onError, err := engine.ParseOnError(c.onError)
	if err != nil {
		return nil, nil, err
	}
	if scheme, _, isURL := strings.Cut(c.store, "://"); isURL {
		return nil, nil, &provider.Error{
			Code: provider.Usage, Message: "--store " + provider.Printable(scheme) + "://… is no SQLite file",
			Hint: "what a pipeline keeps in PostgreSQL is read with psql, by the same names",
		}
	}
	found, err := c.connect()
	if err != nil {
		return nil, nil, err
	}
	client := found.client()
	if isTerminal(c.stderr) {
		client.OnProgress = func(p dispatch.Progress) {
			text := fmt.Sprintf("%s: %s after %s", p.What, p.State, p.Elapsed.Round(100*time.Millisecond))
			if p.Message != "" {
				text += ": " + p.Message
			}
			c.note("%s", text)
		}
		client.OnRetry = func(reason error, wait time.Duration) {
			c.note("trying again in %s: %v", wait.Round(100*time.Millisecond), reason)
		}
	}
	session := &engine.Session{
		Catalogue: found.catalogue,
		Client:    client,
		DryRun:    c.dryRun,
		OnError:   onError,
		Note:      func(line string) { c.note("%s", line) },
		StorePath: cmp.Or(c.store, stateFile("store.db"), engine.MemoryStore),
		Version:   build(),
	}
	return session, func() { session.Close(); found.close() }, nil
}

func embeddedCatalogue() (*provider.Catalogue, error) {
	compiled, err := openapi.Embedded()
	if err != nil {
		return nil, err
	}
	return provider.NewCatalogue(compiled), nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
