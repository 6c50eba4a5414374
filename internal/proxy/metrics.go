package proxy

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// metrics count connections, by endpoint, in the format of Prometheus:
//
//   - lakeql_proxy_connections{endpoint}: open connections;
//   - lakeql_proxy_connections_total{endpoint, result}: connections that were opened, by result: connected,
//     failed (no token, or the endpoint did not take it), refused (a wrong password, too many);
//   - lakeql_proxy_connect_seconds{endpoint}: how long opening took, from the client's first byte;
//   - lakeql_proxy_received_bytes_total, _sent_bytes_total{endpoint}: bytes from clients and to them, of
//     connections that have ended;
//   - lakeql_proxy_max_connections: the bound of all open connections.
type metrics struct {
	names  []string
	counts map[string]*counts
}

type counts struct {
	open                    atomic.Int64
	opened, failed, refused atomic.Int64
	received, sent          atomic.Int64
	within                  [len(connectBounds)]atomic.Int64 // by the first bound that fits
	connectMicroseconds     atomic.Int64
}

// connectBounds are the buckets of the time to connect, in seconds. An endpoint that sleeps takes most of a second.
var connectBounds = [...]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30} //nolint:gochecknoglobals // an array that nobody changes

func newMetrics(routes []Route) *metrics {
	m := &metrics{counts: map[string]*counts{}}
	for _, route := range routes {
		if m.counts[route.Name] == nil {
			m.names = append(m.names, route.Name)
			m.counts[route.Name] = &counts{}
		}
	}
	return m
}

func (m *metrics) of(name string) *counts { return m.counts[name] }

// connected counts a connection that was opened.
func (c *counts) connected(took time.Duration) {
	c.open.Add(1)
	c.opened.Add(1)
	c.connectMicroseconds.Add(took.Microseconds())
	for i, bound := range connectBounds {
		if took.Seconds() <= bound {
			c.within[i].Add(1)
			return
		}
	}
}

// Handler answers /metrics, /livez and /readyz. A server that does not accept connections any more is alive,
// and not ready.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(s.writeMetrics()) // who asked may be gone
	})
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Ready(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return mux
}

func (s *Server) writeMetrics() []byte {
	var b bytes.Buffer
	family := func(name, kind string, write func(endpoint string, c *counts)) {
		fmt.Fprintf(&b, "# TYPE lakeql_proxy_%s %s\n", name, kind)
		for _, endpoint := range s.metrics.names {
			write(endpoint, s.metrics.counts[endpoint])
		}
	}
	family("connections", "gauge", func(e string, c *counts) {
		fmt.Fprintf(&b, "lakeql_proxy_connections{endpoint=%q} %d\n", e, c.open.Load())
	})
	family("connections_total", "counter", func(e string, c *counts) {
		for _, r := range []struct {
			result string
			n      int64
		}{{"connected", c.opened.Load()}, {"failed", c.failed.Load()}, {"refused", c.refused.Load()}} {
			fmt.Fprintf(&b, "lakeql_proxy_connections_total{endpoint=%q,result=%q} %d\n", e, r.result, r.n)
		}
	})
	family("connect_seconds", "histogram", func(e string, c *counts) {
		var n int64
		for i, bound := range connectBounds {
			n += c.within[i].Load()
			fmt.Fprintf(&b, "lakeql_proxy_connect_seconds_bucket{endpoint=%q,le=\"%v\"} %d\n", e, bound, n)
		}
		total := max(c.opened.Load(), n)
		fmt.Fprintf(&b, "lakeql_proxy_connect_seconds_bucket{endpoint=%q,le=\"+Inf\"} %d\n", e, total)
		fmt.Fprintf(&b, "lakeql_proxy_connect_seconds_sum{endpoint=%q} %v\n", e, float64(c.connectMicroseconds.Load())/1e6)
		fmt.Fprintf(&b, "lakeql_proxy_connect_seconds_count{endpoint=%q} %d\n", e, total)
	})
	family("received_bytes_total", "counter", func(e string, c *counts) {
		fmt.Fprintf(&b, "lakeql_proxy_received_bytes_total{endpoint=%q} %d\n", e, c.received.Load())
	})
	family("sent_bytes_total", "counter", func(e string, c *counts) {
		fmt.Fprintf(&b, "lakeql_proxy_sent_bytes_total{endpoint=%q} %d\n", e, c.sent.Load())
	})
	fmt.Fprintf(&b, "# TYPE lakeql_proxy_max_connections gauge\nlakeql_proxy_max_connections %d\n", s.options.MaxConnections)
	return b.Bytes()
}
