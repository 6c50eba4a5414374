package dispatch_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// elsewhere answers calls as a function does.
type elsewhere struct {
	answer func(ctx context.Context, api *dispatch.Client, to io.Writer) error
}

func (s elsewhere) Answer(ctx context.Context, api *dispatch.Client, _ *dispatch.Request, to io.Writer) error {
	return s.answer(ctx, api, to)
}

func (elsewhere) Describe(*dispatch.Request) (place, text string) { return "elsewhere", "a question" }

// connecting makes a method whose calls a source answers.
func connecting() *provider.Method {
	row := &provider.Schema{Type: "object", Properties: []provider.Property{{Name: "n", Schema: &provider.Schema{Type: "integer"}}}}
	rows := provider.Property{Name: "rows", Schema: &provider.Schema{Type: "array", Items: row}}
	return &provider.Method{
		Resource: "test.things.elsewhere", Name: "list", SQLVerb: provider.Select, Verb: "CONNECT", Path: "/elsewhere", Connects: "connects elsewhere",
		Response: &provider.Response{Schema: &provider.Schema{Type: "object", Properties: []provider.Property{rows}}, ObjectKey: "$.rows"},
	}
}

// ask calls the method and counts the rows.
func ask(ctx context.Context, t *testing.T, c *dispatch.Client) (int, error) {
	t.Helper()
	req, err := c.Plan(dispatch.Call{Method: connecting()})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.Run(ctx, req)
	if err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		if _, err := rows.Next(ctx); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
	}
}

// TestSource shows that a source's answers are judged, bounded and repeated as those of the API are.
func TestSource(t *testing.T) {
	t.Parallel()
	passing := provider.Errorf(provider.Network, "asleep")
	for name, test := range map[string]struct {
		write string
		err   error
		rows  int
		code  provider.Code // of the error; 0 with rows
		tries int64
	}{
		"rows":                {`{"rows": [{"n": 1}, {"n": 1}]}`, nil, 2, 0, 1},
		"none":                {`{"rows": []}`, nil, 0, 0, 1},
		"not whole":           {`{"rows": [{"n": 1}`, nil, 0, provider.API, 1},
		"whole, with a fault": {`{"rows": [{"n": 1}]}`, provider.Errorf(provider.Network, "gone"), 0, provider.Network, 1},
		"too long":            {`{"rows": [` + string(make([]byte, 1<<10)), nil, 0, provider.API, 1},
		"asleep":              {"", dispatch.Again(passing), 0, provider.Network, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clientFor(t, "http://127.0.0.1:1")
			c.AnswerLimit = 1 << 10
			var tries atomic.Int64
			c.Source = elsewhere{func(_ context.Context, _ *dispatch.Client, to io.Writer) error {
				tries.Add(1)
				_, _ = io.WriteString(to, test.write)
				return test.err
			}}
			n, err := ask(t.Context(), t, c)
			if n != test.rows || (err == nil) != (test.code == 0) || err != nil && provider.CodeOf(err) != test.code || tries.Load() != test.tries {
				t.Errorf("%d rows, %v, asked %d times", n, err, tries.Load())
			}
		})
	}
	t.Run("a panic", func(t *testing.T) {
		t.Parallel()
		c := clientFor(t, "http://127.0.0.1:1")
		c.Source = elsewhere{func(context.Context, *dispatch.Client, io.Writer) error { panic("at the disco") }}
		if _, err := ask(t.Context(), t, c); provider.CodeOf(err) != provider.Internal || err == nil {
			t.Error(err)
		}
	})
	t.Run("a cancel", func(t *testing.T) {
		t.Parallel()
		c := clientFor(t, "http://127.0.0.1:1")
		ctx, cancel := context.WithCancel(t.Context())
		c.Source = elsewhere{func(ctx context.Context, _ *dispatch.Client, _ io.Writer) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}}
		if _, err := ask(ctx, t, c); provider.CodeOf(err) != provider.Canceled {
			t.Error(err)
		}
	})
	t.Run("no more at once than the limit, and calls of the API beside them", func(t *testing.T) {
		t.Parallel()
		c := clientFor(t, "http://127.0.0.1:1")
		c.Parallel = 2
		var now, most atomic.Int64
		both := make(chan struct{})
		c.Source = elsewhere{func(ctx context.Context, api *dispatch.Client, to io.Writer) error {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == 2 {
				select {
				case <-both:
				default:
					close(both)
				}
			}
			<-both
			// A call of the API has turns of its own: here nobody answers it, and that is all it waits for.
			if _, err := (request{method: "list"}).call(ctx, t, api); provider.CodeOf(err) != provider.Network {
				t.Errorf("a call of the API: %v", err)
			}
			_, err := io.WriteString(to, `{"rows": []}`)
			return err
		}}
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if _, err := ask(t.Context(), t, c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most.Load() != 2 {
			t.Errorf("%d at once", most.Load())
		}
	})
}
