package auth_test

import (
	"bytes"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// TestSDKLogsNoPassword keeps the SDK's log lines free of a host's password in programs that leave its
// logger as it is.
func TestSDKLogsNoPassword(t *testing.T) {
	isolate(t)
	var logged bytes.Buffer
	log.SetOutput(&logged)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	t.Setenv("DATABRICKS_TOKEN", "t")
	t.Setenv("DATABRICKS_HOST", "https://user:s3cret%zz@example.com")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	err = auth.NewChain(auth.Options{}).Direct(r, "")
	if provider.CodeOf(err) != provider.Usage || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", logged.String())
	}
}
