package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
)

const (
	// lookInterval is how often a run is looked after, and its progress shown.
	lookInterval = 200 * time.Millisecond
	// lineInterval is how often a line is written where nothing can be drawn over.
	lineInterval = 5 * time.Second
	// progressBar is how many characters the bar has.
	progressBar = 24
)

// progressDisplay shows how far a run has come: on a terminal in one line that is drawn again, elsewhere in
// a line now and then.
type progressDisplay struct {
	out   io.Writer
	live  bool
	width func() int // of the terminal; a line that is longer cannot be drawn over

	drawn    bool
	last     *pipeline.Progress
	said     string
	next     time.Time
	first    time.Time // when queries were first seen to be done
	doneThen int64
}

// show takes in where the run is.
func (d *progressDisplay) show(p *pipeline.Progress) {
	if d.first.IsZero() && p.Run.State == pipeline.Running {
		d.first, d.doneThen = p.Now, p.Done+p.Fail
	}
	text := d.text(p)
	switch {
	case d.live:
		if shown := []rune(text); len(shown) >= d.width() {
			text = string(shown[:max(d.width()-1, 0)])
		}
		_, _ = fmt.Fprintf(d.out, "\r\x1b[K%s", text)
		d.drawn, d.last = true, p
	case p.Over() || !p.Now.Before(d.next) && text != d.said:
		_, _ = fmt.Fprintln(d.out, text)
		d.said, d.next = text, p.Now.Add(lineInterval)
	}
}

// end leaves the last state on the terminal.
func (d *progressDisplay) end() {
	if !d.drawn {
		return
	}
	d.live = false // whole, and without a bar
	_, _ = fmt.Fprintf(d.out, "\r\x1b[K%s\n", d.text(d.last))
}

// text is the line.
func (d *progressDisplay) text(p *pipeline.Progress) string {
	if p.Run.State == pipeline.Planning {
		return fmt.Sprintf("run %d: finding the workspaces", p.Run.ID)
	}
	total, over := p.Total(), p.Done+p.Fail+p.Skip
	if total == 0 && p.Over() {
		return fmt.Sprintf("run %d: nothing was asked", p.Run.ID)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "run %d: ", p.Run.ID)
	if d.live && total > 0 {
		filled := int(over * progressBar / total)
		b.WriteString(strings.Repeat("█", filled) + strings.Repeat("░", progressBar-filled) + " ")
	}
	fmt.Fprintf(&b, "%d of %d done", p.Done, total)
	for _, part := range []struct {
		n    int64
		word string
	}{{p.Busy, "running"}, {p.Wait, "waiting"}, {p.Held, "of them held back"}, {p.Fail, "failed"}, {p.Skip, "skipped"}} {
		if part.n > 0 {
			fmt.Fprintf(&b, ", %d %s", part.n, part.word)
		}
	}
	fmt.Fprintf(&b, "; %d rows, %d calls", p.Rows, p.Calls)
	if p.Throttled > 0 {
		fmt.Fprintf(&b, ", %d throttled", p.Throttled)
	}
	if p.Over() {
		fmt.Fprintf(&b, "; %d added, %d changed, %d removed; took %s", p.Added, p.Changed, p.Removed, p.Run.Ended.Sub(p.Run.Begun).Round(10*time.Millisecond))
	} else if left := d.left(p, over); left > 0 {
		fmt.Fprintf(&b, "; about %s left", left)
	}
	return b.String()
}

// left estimates how long the rest takes; 0 where nothing says so yet.
func (d *progressDisplay) left(p *pipeline.Progress, over int64) time.Duration {
	since, done := p.Now.Sub(d.first), over-d.doneThen
	if d.first.IsZero() || done <= 0 || since < 2*time.Second {
		return 0
	}
	return (since * time.Duration(p.Total()-over) / time.Duration(done)).Round(time.Second)
}
