package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// display shows the rows of statements: on a terminal in a layout that fits it, through a pager, and with
// a status line for what takes long.
type display struct {
	out    io.Writer
	screen *os.File         // out, if it is a terminal
	status *terminal.Status // nil if standard error is no terminal

	activity dispatch.Activity
	rows     atomic.Int64           // of the current statement
	waiting  atomic.Pointer[string] // for a long-running operation
}

// newDisplay makes a display for the command's output. It replaces c.stderr, so that messages do not
// mix with the status line.
func (c *command) newDisplay() *display {
	d := &display{out: c.stdout}
	if c.outfile == "" && terminal.Is(c.stdout) {
		d.screen, _ = c.stdout.(*os.File)
	}
	if terminal.Is(c.stderr) {
		d.status = terminal.NewStatus(c.stderr)
		c.stderr = d.status.Over(c.stderr)
	}
	return d
}

// layout returns the layout of tables; nil if they do not go to a terminal.
func (d *display) layout() *render.Screen {
	if d.screen == nil {
		return nil
	}
	width, _ := terminal.Size(d.screen)
	return &render.Screen{Width: width, Color: terminal.HasColor(), Expanded: render.ExpandedAuto}
}

// watch shows what a session waits for.
func (d *display) watch(c *command, session *engine.Session) {
	if d.status == nil {
		return
	}
	session.Client.Activity = &d.activity
	session.Client.OnProgress = func(p dispatch.Progress) {
		text := fmt.Sprintf("%s: %s after %s", p.What, p.State, p.Elapsed.Round(100*time.Millisecond))
		if p.Message != "" {
			text += ": " + p.Message
		}
		d.waiting.Store(&p.What)
		c.note("%s", text)
	}
	session.Client.OnRetry = func(reason error, wait time.Duration) {
		c.note("trying again in %s: %v", wait.Round(100*time.Millisecond), reason)
	}
}

// begin starts the status line of a statement. The returned function ends it.
func (d *display) begin() (end func()) {
	if d.status == nil {
		return func() {}
	}
	started := time.Now()
	before := d.activity.Answers.Load()
	d.rows.Store(0)
	d.waiting.Store(nil)
	return d.status.Start(func() string { return d.text(time.Since(started), d.activity.Answers.Load()-before) })
}

// text is the status line.
func (d *display) text(elapsed time.Duration, answers int64) string {
	var parts []string
	if under := d.activity.UnderWay.Load(); under > 0 {
		parts = append(parts, plural(under, "call")+" under way")
	}
	if waiting := d.waiting.Load(); waiting != nil {
		parts = append(parts, "waiting for "+*waiting)
	}
	if answers > 0 {
		parts = append(parts, plural(answers, "answer"))
	}
	if rows := d.rows.Load(); rows > 0 {
		parts = append(parts, plural(rows, "row"))
	}
	text := strings.Join(append(parts, elapsed.Truncate(100*time.Millisecond).String()), ", ")
	if method := d.activity.Method(); method != "" {
		text = method + ": " + text
	}
	return text + " (Ctrl-C stops)"
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// show writes the rows of a statement to w, which toOutput supplies, and reports how many there were.
func (d *display) show(ctx context.Context, w io.Writer, rows provider.Rows, opts render.Options) (int64, error) {
	if d.screen == nil {
		return render.Write(ctx, w, countedRows{rows, &d.rows}, opts)
	}
	if opts.Screen != nil {
		screen := *opts.Screen
		screen.Width, _ = terminal.Size(d.screen)
		opts.Screen = &screen
	}
	pager := terminal.NewPager(d.screen)
	if d.status != nil {
		pager.OnOutput = d.status.Leave
	}
	var n int64
	err := paged(pager, func() (err error) {
		n, err = render.Write(ctx, pager, countedRows{rows, &d.rows}, opts)
		return err
	})
	return n, err
}

// paged writes to a pager and closes it. That the user has seen enough is no error.
func paged(pager *terminal.Pager, write func() error) error {
	err := write()
	if closeErr := pager.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, terminal.ErrPagerLeft) {
		return nil
	}
	return err
}

// countedRows counts the rows that are read.
type countedRows struct {
	provider.Rows
	n *atomic.Int64
}

func (r countedRows) Next(ctx context.Context) ([]any, error) {
	row, err := r.Rows.Next(ctx)
	if err == nil {
		r.n.Add(1)
	}
	return row, err
}
