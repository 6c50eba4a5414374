// Command call mints a Lakebase credential with net/http: the least that the same EXEC could cost.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	body := strings.NewReader(`{"endpoint": "projects/p/branches/b/endpoints/e"}`)
	req, err := http.NewRequest(http.MethodPost, os.Getenv("DATABRICKS_HOST")+"/api/2.0/postgres/credentials", body) //nolint:gosec,noctx // the emulator that the environment names; the process is the call
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("DATABRICKS_TOKEN"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // as above
	if err != nil || resp.StatusCode != http.StatusOK {
		log.Fatal("the call failed: ", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(os.Stdout, resp.Body) // what is measured is the call
}
