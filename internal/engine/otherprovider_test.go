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

// TestAnotherProvider runs statements over documents that have none of Databricks' words: the documents say
// which parameter names the tenant, and which resource lists the tenants.
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
	session := &engine.Session{Catalogue: catalogue, Client: client}
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
	// A name that compares the tenant where no call knows it is refused by the documents' word for it.
	_, err = read(t.Context(), session, "SELECT 1 FROM bookshop.stock.authors a LEFT JOIN bookshop.stock.books b ON b.author = a.author WHERE b.shop = 'hill' OR a.author = 'x'")
	var told *provider.Error
	if !errors.As(err, &told) || !strings.Contains(told.Message, "shop") || strings.Contains(fmt.Sprint(err), "deployment_name") {
		t.Errorf("%v", err)
	}
}
