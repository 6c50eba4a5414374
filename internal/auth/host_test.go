package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// TestParseHost shows which deployment names are valid, and which hosts they mean.
func TestParseHost(t *testing.T) {
	long := strings.Repeat("a", 63)
	for deployment, want := range map[string]string{
		"dbc-abcd0123-a1bc":                "https://dbc-abcd0123-a1bc.cloud.databricks.com",
		"DBC-1":                            "https://dbc-1.cloud.databricks.com",
		"a":                                "https://a.cloud.databricks.com",
		"0":                                "https://0.cloud.databricks.com",
		long:                               "https://" + long + ".cloud.databricks.com",
		"localhost":                        "https://localhost.cloud.databricks.com",
		"2130706433":                       "https://2130706433.cloud.databricks.com",
		"dbc-1.cloud.databricks.com":       "https://dbc-1.cloud.databricks.com",
		"dbc-1.cloud.databricks.us":        "https://dbc-1.cloud.databricks.us",
		"adb-12.7.azuredatabricks.net":     "https://adb-12.7.azuredatabricks.net",
		"ADB-12.7.AzureDatabricks.NET":     "https://adb-12.7.azuredatabricks.net",
		"adb-12.7.databricks.azure.us":     "https://adb-12.7.databricks.azure.us",
		"adb-12.7.databricks.azure.cn":     "https://adb-12.7.databricks.azure.cn",
		"12.7.gcp.databricks.com":          "https://12.7.gcp.databricks.com",
		"accounts.cloud.databricks.com":    "https://accounts.cloud.databricks.com",
		"a.b.staging.cloud.databricks.com": "https://a.b.staging.cloud.databricks.com",
		"xn--a.cloud.databricks.com":       "https://xn--a.cloud.databricks.com",
		"cloud.databricks.com.azuredatabricks.net": "https://cloud.databricks.com.azuredatabricks.net",
	} {
		host, err := auth.ParseHost(deployment)
		if err != nil || host.String() != want {
			t.Errorf("%s: %s, %v", deployment, host, err)
		}
	}
}

// TestParseHostRefuses shows that nothing that could lead to a stranger is taken.
func TestParseHostRefuses(t *testing.T) {
	refused := []string{
		"", " ", ".", "..", "/", "-", "-a", "a-", "a_b", "a b", " a", "a ", "a/", "a/b", "a//b", `a\b`, "a?b", "a#b", "a:443", "a@b", "a.", ".a", "*", "[::1]",
		"a\x00", "a\r\nHost: evil.com", "a\nb", "a\t", "a%2eb", "a%00", "é", "a\u200b", "a\u202eb", "\xff", "\u212aa", "ａ", "databricкs",
		"evil.com", "127.0.0.1", "0x7f.1", "localhost.localdomain", "169.254.169.254",
		"cloud.databricks.com", ".cloud.databricks.com", "..cloud.databricks.com", "a..cloud.databricks.com", "a-.cloud.databricks.com", "-a.cloud.databricks.com",
		"a.cloud.databricks.com.", "a.cloud.databricks.com.evil.com", "a.cloud.databricks.com:8443", "a.cloud.databricks.com/", "x@a.cloud.databricks.com",
		"evilcloud.databricks.com", "evil.com/a.cloud.databricks.com", "evil.com#.cloud.databricks.com", "evil.com?.cloud.databricks.com", `evil.com\.cloud.databricks.com`, "evil.com:443.cloud.databricks.com", "evil.com@.cloud.databricks.com",
		"evil.com%23.cloud.databricks.com", "evil.com\n.cloud.databricks.com", "*.cloud.databricks.com", "é.cloud.databricks.com", "a。cloud。databricks。com", "a.cloud.databric\u212as.com",
		"azuredatabricks.net", "xazuredatabricks.net", "a.azuredatabricks.net.cn", "databricks.azure.us", "a.databricks.azure.com", "gcp.databricks.com", "a.databricks.com",
		"https://a.cloud.databricks.com", "http://a", "//a.cloud.databricks.com", "file:///etc/passwd",
		strings.Repeat("a", 64), strings.Repeat("a", 64) + ".cloud.databricks.com", strings.Repeat("a.", 130) + "cloud.databricks.com",
	}
	for _, deployment := range refused {
		host, err := auth.ParseHost(deployment)
		if err == nil || host != (auth.Host{}) || code(err) != provider.Usage || provider.HintOf(err) == "" || strings.ContainsAny(err.Error(), "\r\n\x00\u202e") {
			t.Errorf("%q: %s, %q", deployment, host, err)
		}
	}
	if _, err := auth.ParseHost("https://a.cloud.databricks.com/"); !strings.Contains(provider.HintOf(err), "leave out https://") {
		t.Errorf("hint %q", provider.HintOf(err))
	}
}

// FuzzParseHost shows that whatever is taken is a name under a domain of Databricks and no more.
func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"a", "a.cloud.databricks.com", "adb-1.2.azuredatabricks.net", "a.b", "evil.com#.cloud.databricks.com", "A-", "\u212a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, deployment string) {
		host, err := auth.ParseHost(deployment)
		if err != nil {
			return
		}
		u, err := url.Parse(host.String())
		if err != nil || u.Scheme != "https" || u.Host != u.Hostname() || u.User != nil || u.Path+u.RawQuery+u.Fragment != "" {
			t.Fatalf("%q gives %s", deployment, host)
		}
		known := false
		for _, domain := range []string{".cloud.databricks.com", ".cloud.databricks.us", ".azuredatabricks.net", ".databricks.azure.us", ".databricks.azure.cn", ".gcp.databricks.com"} {
			known = known || strings.HasSuffix(u.Host, domain)
		}
		if !known || strings.Trim(u.Host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.HasPrefix(u.Host, strings.ToLower(deployment)) {
			t.Errorf("%q gives %s", deployment, host)
		}
	})
}

// TestConfiguredHosts shows which hosts a user may configure: any that is encrypted, and this
// machine.
func TestConfiguredHosts(t *testing.T) {
	isolate(t)
	for given, want := range map[string]string{
		"https://dbc-1.cloud.databricks.com":        "https://dbc-1.cloud.databricks.com",
		"dbc-1.cloud.databricks.com":                "https://dbc-1.cloud.databricks.com",
		"https://DBC-1.Cloud.Databricks.com/?o=123": "https://dbc-1.cloud.databricks.com",
		"HTTPS://lakehouse.example.com/":            "https://lakehouse.example.com",
		"https://example.com:8443":                  "https://example.com:8443",
		"https://example.com:443":                   "https://example.com",
		"https://example.com:":                      "https://example.com",
		"http://127.0.0.1:8080":                     "http://127.0.0.1:8080",
		"http://localhost":                          "http://localhost",
		"http://localhost:80":                       "http://localhost",
		"http://[::1]:8080/x":                       "http://[::1]:8080",
		"http://127.8.9.1":                          "http://127.8.9.1",
		// Unencrypted to another machine, or no host.
		"http://dbc-1.cloud.databricks.com": "", "http://localhost.example.com": "", "http://127.0.0.1.example.com": "", "http://0.0.0.0": "", "http://127.1": "", "http://2130706433": "", "http://[::2]": "",
		"https://user@example.com": "", "https://user:s3cret@example.com": "", "user:s3cret@example.com": "", "http://s3cret@evil.com": "", "https://example.com:s3cret@/x": "",
		"ftp://example.com": "", "file:///etc": "", "javascript://x": "", "https://": "", "https:///x": "", "://x": "", "https://exa mple.com": "", "https://a\nb": "", "https://a%2eb": "", `https://a\b`: "", "https://[::1": "", "https://a:b": "",
	} {
		chain := auth.NewChain(auth.Options{Host: given})
		r := &http.Request{URL: &url.URL{Path: "/p", RawQuery: "q"}, Header: http.Header{}}
		err := chain.Direct(r, "")
		if want == "" {
			if code(err) != provider.Usage || r.URL.Host != "" || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: directs to %s: %v", given, r.URL, err)
			}
			continue
		}
		if err != nil || r.URL.String() != want+"/p?q" || r.Host != "" {
			t.Errorf("%q: directs to %s (Host %q), want %s: %v", given, r.URL, r.Host, want, err)
		}
	}
}
