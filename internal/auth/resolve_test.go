package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// TestDeploymentNames shows which host a deployment name means, depending on the configuration.
func TestDeploymentNames(t *testing.T) {
	const profiles = `
[DEFAULT]
host = https://dbc-1.cloud.databricks.com
token = s3cret

[azure]
host = https://adb-7.7.azuredatabricks.net/?o=7
token = s3cret

[gcp]
host = 8.8.gcp.databricks.com

[same-label]
host = adb-7.cloud.databricks.us

[own-domain]
host = https://lake.example.com
token = s3cret

[no-host]
token = s3cret

[broken-host]
host = http://dbc-9.cloud.databricks.com

[both-aws]
host = https://dbc-5.cloud.databricks.com

[both-azure]
host = https://dbc-5.azuredatabricks.net
`
	tests := map[string]struct {
		file       string
		host       string
		env        map[string]string
		deployment string
		url        string // or
		err        string
	}{
		"a label":                            {"", "", nil, "dbc-1", "https://dbc-1.cloud.databricks.com", ""},
		"a whole host":                       {"", "", nil, "adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net", ""},
		"none":                               {"", "", nil, "", "", "no workspace to call"},
		"none, with a token":                 {"", "", map[string]string{"DATABRICKS_TOKEN": "s3cret"}, "", "", "no workspace to call"},
		"none, with a host":                  {"", "", map[string]string{"DATABRICKS_HOST": "https://dbc-1.cloud.databricks.com"}, "", "https://dbc-1.cloud.databricks.com", ""},
		"none, with the default profile":     {profiles, "", nil, "", "https://dbc-1.cloud.databricks.com", ""},
		"none, with another profile":         {profiles, "", map[string]string{"DATABRICKS_CONFIG_PROFILE": "azure"}, "", "https://adb-7.7.azuredatabricks.net", ""},
		"the flag before the environment":    {profiles, "https://flag.example.com", map[string]string{"DATABRICKS_HOST": "https://env.example.com"}, "", "https://flag.example.com", ""},
		"a label of the host of the flag":    {profiles, "https://dbc-1.azuredatabricks.net", nil, "dbc-1", "https://dbc-1.azuredatabricks.net", ""},
		"a label of the configured host":     {"", "", map[string]string{"DATABRICKS_HOST": "https://adb-3.4.azuredatabricks.net"}, "ADB-3", "https://adb-3.4.azuredatabricks.net", ""},
		"a label of a configured own domain": {"", "", map[string]string{"DATABRICKS_HOST": "https://lake.example.com"}, "lake", "https://lake.example.com", ""},
		"a label of no configured host":      {"", "", map[string]string{"DATABRICKS_HOST": "https://adb-3.4.azuredatabricks.net"}, "adb-4", "https://adb-4.cloud.databricks.com", ""},
		"a label of a profile":               {profiles, "", nil, "8", "https://8.8.gcp.databricks.com", ""},
		"a label of profiles on two clouds":  {profiles, "", nil, "adb-7", "", `"adb-7" may mean several hosts`},
		"a label of a profile on AWS":        {profiles, "", nil, "dbc-5", "https://dbc-5.cloud.databricks.com", ""},
		"a label of a profile's own domain":  {profiles, "", map[string]string{"DATABRICKS_HOST": "https://x.example.com", "DATABRICKS_TOKEN": "s3cret"}, "lake", "https://lake.cloud.databricks.com", ""},
		"a label of a refused profile":       {profiles, "", nil, "dbc-9", "https://dbc-9.cloud.databricks.com", ""},
		"a whole host beside the profiles":   {profiles, "", nil, "adb-7.7.azuredatabricks.net", "https://adb-7.7.azuredatabricks.net", ""},
		"a host that is configured wrongly":  {"", "http://example.com", nil, "dbc-1", "", "plain http"},
		"a label, with a file that is none":  {"s3cret", "", nil, "dbc-1", "", "neither a [profile] nor key = value"},
		"no deployment name":                 {"", "https://dbc-1.cloud.databricks.com", nil, "evil.com", "", "neither one DNS label nor a host"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			if test.file != "" {
				configure(t, test.file)
			}
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			r := &http.Request{URL: &url.URL{Path: "/p"}, Host: "of-the-request-before", Header: http.Header{}}
			err := auth.NewChain(auth.Options{Host: test.host}).Direct(r, test.deployment)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || r.URL.Host != "" {
					t.Errorf("directs to %s: %v", r.URL, err)
				}
				noSecret(t, err)
				return
			}
			if err != nil || r.URL.String() != test.url+"/p" || r.Host != "" {
				t.Errorf("directs to %s (Host %q), want %s: %v", r.URL, r.Host, test.url, err)
			}
		})
	}
}

// TestEmulatorHosts shows that all workspaces of an emulator are at its address, told apart by the
// Host header, and that whole hosts are still the real ones.
func TestEmulatorHosts(t *testing.T) {
	isolate(t)
	static, err := auth.NewStatic("http://127.0.0.1:8080", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	chain := auth.NewChain(auth.Options{Host: "http://127.0.0.1:8080"})
	type director interface {
		Direct(r *http.Request, deployment string) error
	}
	for _, test := range []struct {
		by              director
		deployment      string
		url, hostHeader string
	}{
		{chain, "", "http://127.0.0.1:8080", ""},
		{chain, "DBC-1", "http://127.0.0.1:8080", "dbc-1.localhost:8080"},
		{chain, "adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net", ""},
		{chain, "evil.com", "", ""},
		{auth.NewChain(auth.Options{Host: "http://localhost"}), "dbc-1", "http://localhost", "dbc-1.localhost"},
		{static, "", "http://127.0.0.1:8080", ""},
		{static, "dbc-1", "http://127.0.0.1:8080", "dbc-1.localhost:8080"},
		{static, "adb-1.2.azuredatabricks.net", "http://127.0.0.1:8080", "adb-1.localhost:8080"},
		{static, "evil.com", "", ""},
	} {
		r := &http.Request{URL: &url.URL{}}
		err := test.by.Direct(r, test.deployment)
		if r.URL.String() != test.url || r.Host != test.hostHeader || (err == nil) != (test.url != "") {
			t.Errorf("%T %s: directs to %s (Host %q): %v", test.by, test.deployment, r.URL, r.Host, err)
		}
	}
	if _, err := auth.NewStatic("http://example.com", "s3cret"); code(err) != provider.Usage {
		t.Errorf("an unencrypted host: %v", err)
	}
}

// TestStatic sends its one token.
func TestStatic(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Host + " " + r.Header.Get("Authorization") }))
	defer server.Close()
	static, err := auth.NewStatic(server.URL, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/p", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if err := static.Direct(r, "dbc-1"); err != nil {
		t.Fatal(err)
	}
	if err := static.Authorize(r); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if want := "dbc-1.localhost:" + r.URL.Port() + " Bearer s3cret"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}
