package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/provider"
)

// session is a client's connection with its connection to the endpoint.
type session struct {
	server   *Server
	route    Route
	client   net.Conn
	upstream *upstream
	begun    time.Time
	startup  *pgproto3.StartupMessage
	id       uint32
	key      []byte

	received, sent int64 // bytes from the client, and to it

	writing sync.Mutex // held while something is written to the client
	mu      sync.Mutex
	pending int       // requests of the client that the server has not answered with ReadyForQuery
	open    bool      // the client has begun a request, and not ended it
	status  byte      // of the transaction, as ReadyForQuery says it
	since   time.Time // when the session became idle
	leaving string    // why the session is to end when it is idle; empty: it is not
	ended   string    // why the proxy ended it
}

// run logs in to the endpoint, and passes bytes until one side ends.
func (se *session) run(ctx context.Context) {
	s := se.server
	counts := s.metrics.of(se.route.Name)
	values, options := parameters(se.startup)
	database := se.startup.Parameters["database"]
	if database == se.startup.Parameters["user"] {
		database = "" // clients that name no database send this
	}
	up, err := s.connect(ctx, se.route, database, values)
	connected := time.Since(se.begun)
	if err != nil {
		counts.failed.Add(1)
		se.tell(faultOf(err))
		s.options.Logger.Error("connection failed", "endpoint", se.route.Name, "client", addressOf(se.client), "seconds", connected.Seconds(), "error", provider.Printable(err.Error()))
		return
	}
	defer up.Conn.Close() //nolint:errcheck // both sides have ended
	counts.connected(connected)
	defer counts.open.Add(-1)
	se.upstream, se.status, se.since = up, 'I', time.Now()
	if !s.admit(se) {
		se.tell(&pgconn.PgError{Code: stateUnavailable, Message: "the proxy ends"})
		return
	}
	defer s.forget(se)
	err = se.greet(options)
	if err == nil {
		err = se.relay()
	}
	counts.received.Add(se.received)
	counts.sent.Add(se.sent)
	attrs := []any{
		"endpoint", se.route.Name, "client", addressOf(se.client), "database", cleanName(database), "application", cleanName(values["application_name"]),
		"seconds", time.Since(se.begun).Seconds(), "connect_seconds", connected.Seconds(), "received", se.received, "sent", se.sent,
	}
	if reason := se.reason(); reason != "" {
		attrs = append(attrs, "reason", reason)
	} else if err != nil {
		attrs = append(attrs, "error", provider.Printable(err.Error()))
	}
	s.options.Logger.Info("connection ended", attrs...)
}

// cleanName shortens a name that a client made up.
func cleanName(name string) string {
	const longest = 64
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest]) + "…"
	}
	return provider.Printable(name)
}

// faultOf makes the error that a client gets.
func faultOf(err error) *pgconn.PgError {
	if fault, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fault
	}
	fault := &pgconn.PgError{Code: stateNoUpstream, Message: provider.Printable(err.Error()), Hint: provider.HintOf(err)}
	switch provider.CodeOf(err) {
	case provider.Unauthorized, provider.Usage:
		fault.Code = stateNoLogin
	default:
	}
	return fault
}

// tell sends a client the error that ends its connection.
func (se *session) tell(fault *pgconn.PgError) {
	_ = se.client.SetWriteDeadline(time.Now().Add(se.server.options.StartTimeout))
	_ = pglogin.Send(se.client, &pgproto3.ErrorResponse{ // the client may be gone
		Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: fault.Code, Message: fault.Message, Detail: fault.Detail, Hint: fault.Hint,
	})
}

// greet tells the client that it is logged in, and what the server said about the session.
func (se *session) greet(options []string) error {
	var messages []pgproto3.BackendMessage
	if len(options) > 0 || se.startup.ProtocolVersion > pgproto3.ProtocolVersion30 {
		slices.Sort(options)
		messages = append(messages, &pgproto3.NegotiateProtocolVersion{UnrecognizedOptions: options})
	}
	messages = append(messages, &pgproto3.AuthenticationOk{})
	for _, name := range slices.Sorted(maps.Keys(se.upstream.ParameterStatuses)) {
		messages = append(messages, &pgproto3.ParameterStatus{Name: name, Value: se.upstream.ParameterStatuses[name]})
	}
	for _, n := range se.upstream.notices {
		messages = append(messages, n)
	}
	messages = append(messages, &pgproto3.BackendKeyData{ProcessID: se.id, SecretKey: se.key}, &pgproto3.ReadyForQuery{TxStatus: 'I'})
	return pglogin.Send(se.client, messages...)
}

// relay passes bytes both ways until one side ends.
func (se *session) relay() error {
	var fromClient, fromServer error
	var both sync.WaitGroup
	both.Go(func() {
		fromClient = se.forward()
		switch {
		case errors.Is(fromClient, errGone): // what the server said before is on its way
			_ = se.upstream.Conn.SetReadDeadline(time.Now().Add(lastWords))
		case !errors.Is(fromClient, io.EOF) || !halfClose(se.upstream.Conn):
			se.close()
		}
	})
	both.Go(func() {
		fromServer = se.backward()
		se.close()
	})
	both.Wait()
	for _, err := range []error{fromServer, fromClient} {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return nil
}

var errGone = errors.New("the server has closed the connection")

// lastWords is how long the proxy waits for what a server said before it closed a connection.
const lastWords = 5 * time.Second

// halfClose tells the server that the client sends nothing more. The server ends the session when it has
// noticed.
func halfClose(conn net.Conn) bool {
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

func (se *session) close() {
	_ = se.client.Close()
	_ = se.upstream.Conn.Close()
}

// chunk is how much is passed on at once, in bytes.
const chunk = 64 << 10

// forward passes the client's bytes to the server.
func (se *session) forward() error {
	buffer := make([]byte, chunk)
	var messages framer
	for {
		n, err := se.client.Read(buffer)
		if n > 0 {
			asked := 0
			if !messages.read(buffer[:n], func(kind, _ byte) {
				if kind == 'Q' || kind == 'S' || kind == 'F' { // each is answered with one ReadyForQuery
					asked++
				}
			}) {
				se.tellNow(&pgconn.PgError{Code: stateViolation, Message: "a message has a length that is none"})
				return errLength
			}
			if !se.begin(asked, messages) {
				return net.ErrClosed // the session ended before this was read
			}
			se.received += int64(n)
			if _, err := se.upstream.Conn.Write(buffer[:n]); err != nil {
				return errors.Join(errGone, err)
			}
		}
		if err != nil {
			return err
		}
	}
}

var errLength = errors.New("a message has a length that is none")

// begin notes what the client sent. It reports whether the session is still there.
func (se *session) begin(asked int, m framer) bool {
	se.mu.Lock()
	defer se.mu.Unlock()
	if se.ended != "" {
		return false
	}
	se.pending += asked
	se.open = m.inside() || m.last != 'Q' && m.last != 'S' && m.last != 'F'
	return true
}

// backward passes the server's bytes to the client.
func (se *session) backward() error {
	buffer := make([]byte, chunk)
	var messages framer
	for {
		n, err := se.upstream.Conn.Read(buffer)
		if n > 0 {
			answered, status := 0, byte(0)
			if !messages.read(buffer[:n], func(kind, first byte) {
				if kind == 'Z' {
					answered++
					status = first
				}
			}) {
				return errLength
			}
			if err := se.write(buffer[:n]); err != nil {
				return err
			}
			if answered > 0 && se.answer(answered, status) {
				return net.ErrClosed
			}
		}
		if err != nil {
			return err
		}
	}
}

func (se *session) write(text []byte) error {
	se.writing.Lock()
	defer se.writing.Unlock()
	se.sent += int64(len(text))
	_, err := se.client.Write(text)
	return err
}

// answer notes that the server has answered requests. It reports whether the session ended with that.
func (se *session) answer(n int, status byte) bool {
	se.mu.Lock()
	defer se.mu.Unlock()
	se.pending = max(se.pending-n, 0)
	se.status, se.since = status, time.Now()
	if se.leaving != "" && se.isIdle() {
		se.leave(se.leaving)
		return true
	}
	return false
}

// isIdle reports whether the session waits between two transactions.
func (se *session) isIdle() bool { return se.pending == 0 && !se.open && se.status == 'I' }

// endWhenIdle ends the session as soon as it waits between two transactions.
func (se *session) endWhenIdle(reason string) {
	se.mu.Lock()
	defer se.mu.Unlock()
	se.leaving = reason
	if se.isIdle() {
		se.leave(reason)
	}
}

// endIfIdleSince ends the session if it waits between two transactions since a time.
func (se *session) endIfIdleSince(at time.Time) {
	se.mu.Lock()
	defer se.mu.Unlock()
	if se.isIdle() && se.since.Before(at) {
		se.leave("the connection was idle for too long")
	}
}

// end ends the session, whatever it does.
func (se *session) end(reason string) {
	se.mu.Lock()
	defer se.mu.Unlock()
	se.leave(reason)
}

// leave ends the session. The caller holds mu. What the client has sent and nobody has read was not carried
// out, and the error says that the session is over, so that the client can send it again elsewhere.
func (se *session) leave(reason string) {
	if se.ended != "" {
		return
	}
	se.ended = reason
	se.server.wait.Go(func() {
		se.tellNow(&pgconn.PgError{Code: stateShutdown, Message: "terminating connection: " + reason})
		if text, err := (&pgproto3.Terminate{}).Encode(nil); err == nil {
			_ = se.upstream.Conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = se.upstream.Conn.Write(text) // the server notices the end of the connection, too
		}
		se.close()
	})
}

// tellNow sends the client an error between two messages of the server.
func (se *session) tellNow(fault *pgconn.PgError) {
	const patience = time.Second
	_ = se.client.SetWriteDeadline(time.Now().Add(patience)) // a client that does not read is told nothing
	se.writing.Lock()
	defer se.writing.Unlock()
	se.tell(fault)
}

func (se *session) reason() string {
	se.mu.Lock()
	defer se.mu.Unlock()
	return se.ended
}

// framer finds the messages in a stream of bytes: a type of one byte, then a length of four, which counts
// itself. It keeps no message, so that the length of one costs no memory.
type framer struct {
	header [5]byte
	have   int  // bytes of the header so far
	left   int  // bytes of the body that are still to come
	first  bool // the next byte is the first of the body
	last   byte // the type of the last message
}

// inside reports whether the stream stands within a message.
func (f *framer) inside() bool { return f.have > 0 || f.left > 0 }

// read reads the next bytes of the stream. It calls found with the type of each message and the first byte of
// its body, 0 if there is none. It returns false if a length is less than its own.
func (f *framer) read(text []byte, found func(kind, first byte)) bool {
	for len(text) > 0 {
		if f.left > 0 {
			if f.first {
				f.first = false
				found(f.last, text[0])
			}
			n := min(f.left, len(text))
			f.left -= n
			text = text[n:]
			continue
		}
		n := copy(f.header[f.have:], text)
		f.have += n
		text = text[n:]
		if f.have < len(f.header) {
			return true
		}
		size := binary.BigEndian.Uint32(f.header[1:])
		if size < 4 || size > 1<<31-1 {
			return false
		}
		f.have, f.last, f.left, f.first = 0, f.header[0], int(size)-4, size > 4
		if f.left == 0 {
			found(f.last, 0)
		}
	}
	return true
}
