package pipeline

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// errTimeUp is why the context of a query ends that takes too long.
var errTimeUp = errors.New("query_timeout is over")

// limitTime bounds how long one query may take, the waits for its workspace included.
func (d *Definition) limitTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.QueryTimeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, cmp.Or(d.QueryTimeout, defaultQueryTimeout), errTimeUp)
}

// timeError words the error of a query that took too long. It is final: the query would again.
func (d *Definition) timeError(ctx, limited context.Context, err error) error {
	if ctx.Err() != nil || !errors.Is(context.Cause(limited), errTimeUp) {
		return err
	}
	return provider.Usagef("the query took longer than %s", cmp.Or(d.QueryTimeout, defaultQueryTimeout)).
		Hintf("query_timeout in %s sets another limit", ConfigFile).
		Because(err)
}

// mostRows is how many rows a query may answer.
func (d *Definition) mostRows() int64 { return cmp.Or(d.QueryRows, defaultQueryRows) }

func (d *Definition) tooManyRows() error {
	return provider.Usagef("the query answers more than %d rows", d.mostRows()).
		Hintf("query_rows in %s sets another limit", ConfigFile)
}

// parseTimeout reads how long a query may take: 30m, 2h; never: as long as it takes.
func parseTimeout(text string) (time.Duration, bool) {
	if text == "never" {
		return -1, true
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}
