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
func (oneRow) MayChange(string) bool                            { return false }
func (oneRow) Shown(text string) string                         { return text }
func (oneRow) Close()                                           {}

// FuzzMessages: whatever a client sends, in any order and of any length, the session ends with its connection, and
// no other.
func FuzzMessages(f *testing.F) {
	compiled, err := openapi.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	server := New(Options{Catalogue: provider.NewCatalogue(compiled), Session: func(func(string)) Runner { return oneRow{} }})
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
		client, conn := net.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); server.serve(context.WithoutCancel(t.Context()), conn) }()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_ = client.SetDeadline(time.Now().Add(10 * time.Second))
		startup, err := (&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "a"}}).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = client.Write(startup) // the server may have ended the connection
		_, _ = client.Write(data)
		_ = client.Close()
		<-done
	})
}
