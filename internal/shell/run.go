package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// run carries out statements and shows their rows. An interrupt ends these statements only.
func (s *session) run(parent context.Context, text string) error {
	ctx, stop := interruptible(parent)
	defer stop()
	started := time.Now()
	end := s.opts.Begin()
	defer func() { end() }()
	for rows, err := range s.opts.Runner.Run(ctx, text) {
		if err == nil {
			err = s.show(ctx, rows, func() time.Duration { end(); return time.Since(started) })
		}
		if err != nil {
			return canceled(ctx, err)
		}
		started = time.Now()
		end = s.opts.Begin()
	}
	return nil
}

// interruptible is a context that an interrupt ends.
func interruptible(parent context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(parent, os.Interrupt)
}

// show writes the rows of one statement and closes them. ended returns the duration of the statement,
// once that has ended.
func (s *session) show(ctx context.Context, rows provider.Rows, ended func() time.Duration) error {
	var n int64
	var err error
	if s.file != nil {
		opts := s.opts.Render
		opts.Screen = nil
		n, err = render.Write(ctx, s.file, rows, opts)
	} else {
		n, err = s.opts.Show(ctx, s.opts.Out, rows, s.opts.Render)
	}
	if closeErr := rows.Close(); err == nil {
		err = closeErr
	}
	if err != nil || !s.person {
		return err
	}
	took := ", " + duration(ended())
	if s.untimed {
		took = ""
	}
	switch {
	case len(rows.Columns()) == 0:
		s.say("(done%s)\n", took)
	case n == 1:
		s.say("(1 row%s)\n", took)
	default:
		s.say("(%d rows%s)\n", n, took)
	}
	return nil
}

// canceled words an error that only reports the end of ctx, for users who do not know contexts.
func canceled(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) || provider.CodeOf(err) == provider.Canceled {
		return err
	}
	return provider.Errorf(provider.Canceled, "canceled: not all rows were written").Because(err)
}

// duration writes how long something took as people say it: 12 ms, 3.4 s, 2m5s.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	}
	return d.Truncate(time.Second).String()
}
