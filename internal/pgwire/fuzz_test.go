package pgwire

import (
	"context"
	"io"
	"iter"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// oneRow answers every statement with a row.
type oneRow struct{}

func (oneRow) Run(context.Context, string, []any) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		yield(provider.NewRows([]provider.Column{{Name: "n", Type: "integer"}}, [][]any{{int64(1)}, {int64(2)}}), nil)
	}
}

func (oneRow) Describe(string, []any) ([]provider.Column, error) {
	return []provider.Column{{Name: "n", Type: "integer"}}, nil
}

func (oneRow) Tables(string) (string, []pgcatalog.Table, error) { return "", nil, nil }
func (oneRow) Affected() int64                                  { return 0 }
func (oneRow) HasSetting(string) bool                           { return false }
func (oneRow) Used() string                                     { return "" }
func (oneRow) UseFirst(string, []string)                        {}
func (oneRow) MayChange(string) bool                            { return false }
func (oneRow) Shown(text string) string                         { return text }
func (oneRow) Close()                                           {}

// FuzzMessages: whatever a client sends, in any order and of any length, the session ends with its connection, and
// no other.
func FuzzMessages(f *testing.F) {
	server := emptyServer(f)
	server.options.Password = nil
	var err error
	message := func(messages ...pgproto3.FrontendMessage) []byte {
		var b []byte
		for _, m := range messages {
			if b, err = m.Encode(b); err != nil {
				f.Fatal(err)
			}
		}
		return b
	}
	f.Add(message(&pgproto3.Query{String: "SELECT 1; SELECT 2"}))
	f.Add(message(&pgproto3.Parse{Name: "a", Query: "SELECT $1"}, &pgproto3.Bind{PreparedStatement: "a", Parameters: [][]byte{[]byte("1")}}, &pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Execute{}, &pgproto3.Sync{}))
	f.Add(message(&pgproto3.Query{String: "BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH 1 FROM c; CLOSE c; ROLLBACK"}))
	f.Add(message(&pgproto3.Query{String: "COPY (SELECT 1) TO STDOUT WITH (FORMAT csv, HEADER)"}, &pgproto3.Close{ObjectType: 'S', Name: "x"}, &pgproto3.Sync{}))
	f.Add(message(&pgproto3.Execute{Portal: "x"}, &pgproto3.Bind{}, &pgproto3.Sync{}, &pgproto3.Flush{}, &pgproto3.Terminate{}))
	f.Add([]byte("Q\xff\xff\xff\xff"))
	f.Add([]byte("B\x00\x00\x00\x04\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		talk(t, server, func(client io.Writer) {
			_, _ = client.Write(startup(t)) // the server may have ended the connection
			_, _ = client.Write(data)
		})
	})
}

func startup(tb testing.TB) []byte {
	tb.Helper()
	made, err := (&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "a"}}).Encode(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// talk serves a connection to which a client writes, until its end.
func talk(t *testing.T, server *Server, write func(client io.Writer)) {
	t.Helper()
	client, conn := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); server.serve(context.WithoutCancel(t.Context()), conn) }()
	go func() { _, _ = io.Copy(io.Discard, client) }()
	_ = client.SetDeadline(time.Now().Add(10 * time.Second))
	write(client)
	_ = client.Close()
	<-done
}

// emptyServer serves one row for every statement.
func emptyServer(f *testing.F) *Server {
	f.Helper()
	compiled, err := openapi.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	password, err := pglogin.NewPassword("secret")
	if err != nil {
		f.Fatal(err)
	}
	return New(Options{Catalogue: provider.NewCatalogue(compiled), Password: password, Session: func(func(string)) Runner { return oneRow{} }})
}

// FuzzStartup: whatever comes before the login, the connection ends, and nobody gets in without the password.
func FuzzStartup(f *testing.F) {
	server := emptyServer(f)
	f.Add(startup(f))
	f.Add([]byte("\x00\x00\x00\x08\x04\xd2\x16\x2f"))                     // TLS
	f.Add([]byte("\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01abcd")) // a cancel
	f.Add([]byte("\xff\xff\xff\xff\x00\x03\x00\x00"))                     // a length below zero
	f.Add([]byte("\x00\x00\x00\x04"))
	f.Add(append(startup(f), "p\x00\x00\x00\x20SCRAM-SHA-256\x00\x00\x00\x00\x0en,,n=,r=abcdef"...))
	f.Add(append(startup(f), "p\x00\x00\x00\x20SCRAM-SHA-256\x00\xff\xff\xff\xffn,,n=,r=abcdef"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		talk(t, server, func(client io.Writer) { _, _ = client.Write(data) })
		server.mu.Lock()
		defer server.mu.Unlock()
		if server.lastID != 0 {
			t.Fatal("a client got in")
		}
	})
}

// FuzzValues: a value of any type in any format is read, or refused, and what is read can be written.
func FuzzValues(f *testing.F) {
	for _, oid := range []uint32{16, 20, 21, 23, 25, 700, 701, 1082, 1114, 1184, 1700, 2950, 3802, 1009, 1016, 17, 1186} {
		f.Add([]byte("1"), oid, int16(0))
		f.Add([]byte("{a,\"b\",NULL}"), oid, int16(0))
		f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff}, oid, int16(1))
		f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, oid, int16(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, oid uint32, format int16) {
		s := &session{}
		value, err := s.decode(data, oid, format&1)
		if err != nil {
			return
		}
		for _, to := range []int16{textFormat, binaryFormat} {
			_, _ = s.encode(value, provider.Column{}, oid, to) // an error or not: it ends
		}
	})
}
