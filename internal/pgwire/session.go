package pgwire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/provider"
)

// session is one connection. Its messages are taken one at a time.
type session struct {
	server  *Server
	conn    net.Conn
	reader  *bufio.Reader
	backend *pgproto3.Backend

	id             uint32
	key            []byte
	user, database string

	runner     Runner
	codecs     *pgtype.Map // made for the first value that needs it
	tables     *pgcatalog.Session
	settings   map[string]string
	before     map[string]string // of settings that SET LOCAL changed
	statements map[string]*prepared
	portals    map[string]*portal // cursors too

	text        string   // of the message whose statement runs; errors have positions in it
	state       string   // SQLSTATE that the last statement ended with
	transaction byte     // I: none; T: in one; E: in one in which a statement failed
	changed     bool     // a statement of this transaction changed something
	told        bool     // the client knows that there are no transactions
	skip        bool     // messages are passed over until Sync
	ongoing     bool     // the client has logged in
	warnings    []string // what the client hears when it has

	mu   sync.Mutex
	stop context.CancelCauseFunc // ends the statement that runs; nil: none does

	begun chan struct{} // has an item when a statement has begun
}

var errTimeout = errors.New("the time for the statement is up")

// begin makes what a session needs once its client has logged in.
func (s *session) begin(parameters map[string]string) error {
	s.transaction = idle
	s.settings, s.before = s.usual(), map[string]string{}
	if err := s.assignAll(parameters); err != nil {
		return err
	}
	s.runner = s.server.options.Session(func(line string) { s.notice(stateSuccess, line) })
	s.tables = s.server.tables.Session(pgcatalog.Client{User: s.user, Database: s.database, ID: s.id, Setting: s.setting, Tables: s.runner.Tables, Used: s.runner.Used})
	s.follow(s.settings[searchPath])
	s.statements, s.portals = map[string]*prepared{}, map[string]*portal{}
	return nil
}

// The states of a transaction, as ReadyForQuery says them.
const (
	idle   = 'I'
	inside = 'T'
	failed = 'E'
)

// ready says that the next statement may come.
func (s *session) ready() { s.backend.Send(&pgproto3.ReadyForQuery{TxStatus: s.transaction}) }

// loop takes messages until the client leaves or the server ends.
func (s *session) loop(ctx context.Context) {
	defer s.close()
	for {
		message, err := s.receive()
		if err != nil {
			s.farewell(err)
			return
		}
		if _, ends := message.(*pgproto3.Terminate); ends {
			return
		}
		s.take(ctx, message)
		if s.backend.Flush() != nil {
			return
		}
	}
}

// close releases what the session holds.
func (s *session) close() {
	for _, p := range s.portals {
		p.close()
	}
	s.tables.Close()
	s.runner.Close()
}

// receive waits for a message.
func (s *session) receive() (pgproto3.FrontendMessage, error) {
	var until time.Time
	if s.server.options.IdleTimeout > 0 && s.reader.Buffered() == 0 {
		until = time.Now().Add(s.server.options.IdleTimeout)
	}
	if err := s.conn.SetReadDeadline(until); err != nil {
		return nil, err
	}
	if s.server.isDraining() { // behind SetReadDeadline: wake may have come before it
		return nil, errShutdown
	}
	return s.backend.Receive()
}

// wake makes receive return.
func (s *session) wake() { _ = s.conn.SetReadDeadline(time.Now()) }

// farewell tells a client why its connection ends.
func (s *session) farewell(err error) {
	switch {
	case s.server.isDraining():
		s.backend.Send(fatal(stateShutdown, "the server ends"))
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.backend.Send(fatal(stateIdle, "the connection was idle for "+s.server.options.IdleTimeout.String()))
	case isTooLong(err):
		s.backend.Send(fatal(stateProtocol, "a message is longer than 32 MiB"))
	default:
		var passing net.Error
		if errors.As(err, &passing) || errors.Is(err, net.ErrClosed) {
			return
		}
		s.backend.Send(fatal(stateProtocol, "a message cannot be read"))
	}
	_ = s.backend.Flush() // the client may be gone
}

func isTooLong(err error) bool {
	var e *pgproto3.ExceededMaxBodyLenErr
	return errors.As(err, &e)
}

func fatal(state, message string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: state, Message: message}
}

// take answers one message.
func (s *session) take(ctx context.Context, message pgproto3.FrontendMessage) {
	if _, isSync := message.(*pgproto3.Sync); s.skip && !isSync {
		return
	}
	switch m := message.(type) {
	case *pgproto3.Query:
		s.simple(ctx, m.String)
	case *pgproto3.Parse:
		s.extended(s.parse(m))
	case *pgproto3.Bind:
		s.extended(s.bind(m))
	case *pgproto3.Describe:
		s.extended(s.describe(ctx, m))
	case *pgproto3.Execute:
		s.extended(s.execute(ctx, m))
	case *pgproto3.Close:
		s.closeObject(m)
	case *pgproto3.Sync:
		s.skip = false
		if s.transaction == idle {
			s.dropPortals()
		}
		s.ready()
	case *pgproto3.FunctionCall: // no Sync follows
		s.fail(faultf(stateUnsupported, "functions are called in statements only"))
		s.failTransaction()
		s.ready()
	case *pgproto3.Flush: // take flushes
	case *pgproto3.CopyData, *pgproto3.CopyDone, *pgproto3.CopyFail: // left over from a COPY that was refused
	default:
		s.extended(faultf(stateProtocol, "a message of this kind is not served: %T", message))
	}
}

// extended ends a message of the extended protocol: after an error, all up to Sync are passed over.
func (s *session) extended(err error) {
	if err == nil {
		return
	}
	s.fail(err)
	s.failTransaction()
	s.skip = true
}

func (s *session) failTransaction() {
	if s.transaction == inside {
		s.transaction = failed
	}
}

// dropPortals ends the portals, which live as long as a transaction. Cursors that are held stay.
func (s *session) dropPortals() {
	for name, p := range s.portals {
		if !p.hold {
			p.close()
			delete(s.portals, name)
		}
	}
}

// running returns the context of a statement: it ends with the time for it, with a client's cancel, with the
// client's connection, and with the server. The function ends what watches over that.
func (s *session) running(ctx context.Context) (context.Context, func(), error) {
	ctx, stop := context.WithCancelCause(ctx)
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	select {
	case s.begun <- struct{}{}:
	default: // it says so already
	}
	var timer *time.Timer
	if limit := s.statementTimeout(); limit > 0 {
		timer = time.AfterFunc(limit, func() { stop(errTimeout) })
	}
	unwatch := s.watch(stop)
	end := func() {
		unwatch()
		if timer != nil {
			timer.Stop()
		}
		s.mu.Lock()
		s.stop = nil
		s.mu.Unlock()
		stop(nil)
	}
	if err := s.server.begin(ctx); err != nil {
		end()
		return nil, nil, err
	}
	return ctx, func() { s.server.end(); end() }, nil
}

var errGone = errors.New("the client is gone")

// watch calls stop if the connection ends while a statement runs. The function that it returns ends this.
func (s *session) watch(stop context.CancelCauseFunc) func() {
	if s.reader.Buffered() > 0 {
		return func() {} // the next message is here already
	}
	_ = s.conn.SetReadDeadline(time.Time{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := s.reader.Peek(1); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			stop(errGone)
		}
	}()
	return func() {
		_ = s.conn.SetReadDeadline(time.Now())
		<-done
		_ = s.conn.SetReadDeadline(time.Time{})
	}
}

// cancelStatement stops what runs. It reports whether something does.
func (s *session) cancelStatement(cause error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		return false
	}
	s.stop(cause)
	return true
}

// certificate is the common name in the client's certificate; empty if it has none.
func (s *session) certificate() string {
	secure, ok := s.conn.(*tls.Conn)
	if !ok {
		return ""
	}
	chain := secure.ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return ""
	}
	return provider.Printable(chain[0].Subject.CommonName)
}

// audit records a statement that ended.
func (s *session) audit(text string, began time.Time, rows int64) {
	if s.server.options.Audit == nil {
		return
	}
	s.server.options.Audit(Record{
		Time: began, Client: s.conn.RemoteAddr().String(), Certificate: s.certificate(), User: provider.Printable(s.user), Database: provider.Printable(s.database),
		Text: s.runner.Shown(text), Rows: rows, Duration: time.Since(began), State: s.state,
	})
}
