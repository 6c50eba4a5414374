package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// shops is the API of another provider: a chain of book shops, each with its own host.
type shops struct {
	address string

	mu       sync.Mutex
	requests []string
}

// Direct implements [dispatch.Authorizer]. All shops listen at one address.
func (s *shops) Direct(r *http.Request, shop string) error {
	if r.URL.Host == "" && shop == "" {
		return errors.New("no shop is configured")
	}
	if r.URL.Host == "" {
		r.Host = shop + ".example"
	} else {
		r.Host = r.URL.Host
	}
	r.URL.Scheme, r.URL.Host = "http", s.address
	return nil
}

// Authorize implements [dispatch.Authorizer].
func (*shops) Authorize(*http.Request) error { return nil }

func (s *shops) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.Host+r.URL.Path+" "+string(body)))
	s.mu.Unlock()
	shop, _, _ := strings.Cut(r.Host, ".")
	var answer any = json.RawMessage(body)
	switch author := strings.Split(r.URL.Path, "/")[1:]; {
	case r.Method == http.MethodPost:
	case r.URL.Path == "/shops":
		answer = map[string]any{"shops": []map[string]string{{"code": "hill", "town": "Upton"}, {"code": "quay", "town": "Seaham"}}}
	case r.URL.Path == "/authors":
		answer = map[string]any{"authors": []map[string]string{{"author": "ada"}, {"author": "bo"}}}
	default:
		answer = map[string]any{"books": []map[string]any{{"title": author[1] + " of " + shop, "copies": len(shop)}}}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err) // the test ends
	}
}

// TestAnotherProvider runs statements over documents without any word of Databricks': the documents
// define which parameter names the tenant, and which resource lists the tenants.
func TestAnotherProvider(t *testing.T) {
	t.Parallel()
	docs, err := openapi.LoadAll(os.DirFS("testdata"))
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.Check(); err != nil {
		t.Fatal(err)
	}
	chain := &shops{}
	server := httptest.NewServer(chain)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	chain.address = at.Host
	catalogue := provider.NewCatalogue(docs)
	client := &dispatch.Client{Catalogue: catalogue, Authorizer: chain, HTTP: dispatch.NewHTTP()}
	t.Cleanup(client.HTTP.CloseIdleConnections)
	var notes []string
	session := &engine.Session{Catalogue: catalogue, Client: client, Note: func(line string) { notes = append(notes, line) }}
	t.Cleanup(session.Close)
	for _, tt := range []struct{ name, statement, rows, requests string }{
		{"SELECT", "SELECT author FROM bookshop.stock.authors WHERE shop = 'hill'", "ada|bo", "GET hill.example/authors"},
		{
			"a join, each row in its shop", "SELECT a.shop, b.title FROM bookshop.stock.authors a JOIN bookshop.stock.books b ON b.author = a.author AND b.shop = a.shop WHERE a.shop IN ('hill', 'quay') ORDER BY 1, 2",
			"hill ada of hill|hill bo of hill|quay ada of quay|quay bo of quay",
			"GET hill.example/authors|GET hill.example/authors/ada/books|GET hill.example/authors/bo/books|GET quay.example/authors|GET quay.example/authors/ada/books|GET quay.example/authors/bo/books",
		},
		{"every shop of the chain", "SELECT shop, count(*) FROM bookshop.stock.authors WHERE shop = '*' GROUP BY shop", "hill 2|quay 2", "GET chain.example/shops|GET hill.example/authors|GET quay.example/authors"},
		{"INSERT", "INSERT INTO bookshop.stock.books (shop, author, title, copies) VALUES ('quay', 'ada', 'Notes', 3) RETURNING title, copies", "Notes 3", `POST quay.example/authors/ada/books {"copies":3,"title":"Notes"}`},
		{"EXEC", "EXEC bookshop.stock.orders.place @shop = 'hill' @@json = '{\"title\": \"Notes\", \"placed\": true}'", "Notes <nil> true", `POST hill.example/orders {"placed":true,"title":"Notes"}`},
	} {
		t.Run(tt.name, func(t *testing.T) { //nolint:paralleltest // one session, one statement at a time
			chain.requests = nil
			rows, err := read(t.Context(), session, tt.statement)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(rows, "|"); got != tt.rows {
				t.Errorf("rows %s, want %s", got, tt.rows)
			}
			slices.Sort(chain.requests)
			if got := strings.Join(chain.requests, "|"); got != tt.requests {
				t.Errorf("requests %s, want %s", got, tt.requests)
			}
		})
	}
	const rows = "SELECT author FROM bookshop.shelf.writers WHERE shop = 'hill'"
	for _, tt := range []struct{ name, statement, requests, note string }{
		{"a former service", rows, "GET hill.example/authors", "bookshop.shelf.writers is bookshop.stock.authors today"},
		{"twice in a statement", rows + " AND author IN (" + rows + ")", "GET hill.example/authors", "bookshop.shelf.writers is bookshop.stock.authors today"},
		{"its columns by the whole name", "SELECT bookshop.shelf.writers.author FROM bookshop.shelf.writers WHERE shop = 'hill'", "GET hill.example/authors", "bookshop.shelf.writers is bookshop.stock.authors today"},
		{"a former method", "EXEC bookshop.stock.books.OF @shop = 'hill', @author = 'ada'", "GET hill.example/authors/ada/books", "bookshop.stock.books.of is bookshop.stock.books.list today"},
		{"a method of today below a former resource", "EXEC bookshop.shelf.volumes.add @shop = 'hill', @author = 'ada', @title = 'Notes'", `POST hill.example/authors/ada/books {"title":"Notes"}`, "bookshop.shelf.volumes.add is bookshop.stock.books.add today"},
		{
			"another verb", "REPLACE INTO bookshop.shelf.volumes (shop, author, title) VALUES ('hill', 'ada', 'Notes')", `POST hill.example/authors/ada/books {"title":"Notes"}`,
			"1 row replaced|bookshop.shelf.volumes, as this REPLACE uses it, is INSERT INTO bookshop.stock.books today",
		},
		{
			"a verb that a resource of today lacks", "INSERT INTO bookshop.stock.authors (shop, title, placed) VALUES ('hill', 'Notes', true)", `POST hill.example/orders {"placed":true,"title":"Notes"}`,
			"1 row inserted|bookshop.stock.authors, as this INSERT uses it, is EXEC bookshop.stock.orders.place today",
		},
		{
			"one name, two methods", "EXEC bookshop.stock.orders.place @shop = 'hill', @title = 'Notes'", `POST hill.example/orders {"title":"Notes"}`,
			"bookshop.stock.orders.place has another meaning than in earlier versions, where it was bookshop.stock.books.add",
		},
		{"SHOW", "SHOW METHODS IN bookshop.shelf.writers", "", "bookshop.shelf.writers is bookshop.stock.authors today"},
		{"LIKE", "SHOW SERVICES IN bookshop LIKE 'sh%'", "", "bookshop.shelf is bookshop.stock today"},
	} {
		t.Run(tt.name, func(t *testing.T) { //nolint:paralleltest // one session, one statement at a time
			chain.requests, notes = nil, nil
			if _, err := read(t.Context(), session, tt.statement); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(chain.requests, "|"); got != tt.requests {
				t.Errorf("requests %s, want %s", got, tt.requests)
			}
			if got := strings.Join(notes, "|"); got != tt.note {
				t.Errorf("notes %s, want %s", got, tt.note)
			}
		})
	}
	notes = nil
	_, err = read(t.Context(), session, "DELETE FROM bookshop.shelf.writers WHERE shop = 'hill' AND author = 'ada'")
	if err == nil || !strings.Contains(err.Error(), "its request was DELETE /authors/{author}. No shop drops authors.") || len(notes) != 1 {
		t.Errorf("%v, %q", err, notes)
	}
	// A name that compares the tenant where no call knows it is refused by the documents' word for it.
	_, err = read(t.Context(), session, "SELECT 1 FROM bookshop.stock.authors a LEFT JOIN bookshop.stock.books b ON b.author = a.author WHERE b.shop = 'hill' OR a.author = 'x'")
	var told *provider.Error
	if !errors.As(err, &told) || !strings.Contains(told.Message, "shop") || strings.Contains(fmt.Sprint(err), "deployment_name") {
		t.Errorf("%v", err)
	}
}
