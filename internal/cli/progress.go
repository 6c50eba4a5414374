package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/pipeline"
)

const (
	// lookInterval is how often a run is looked after, and its progress shown.
	lookInterval = 200 * time.Millisecond
	// lineInterval is how often a line is written where nothing can be drawn over.
	lineInterval = 5 * time.Second
	// progressBar is how many characters the bar has at most, and leastBar at least.
	progressBar = 24
	leastBar    = 4
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
	estimate estimate
}

// show takes in where the run is.
func (d *progressDisplay) show(p *pipeline.Progress) {
	d.estimate.observe(p)
	switch {
	case d.live:
		_, _ = fmt.Fprintf(d.out, "\r\x1b[K%s", d.line(p, d.width()-1))
		d.drawn, d.last = true, p
	default:
		if text := d.text(p); p.Over() || !p.Now.Before(d.next) && text != d.said {
			_, _ = fmt.Fprintln(d.out, text)
			d.said, d.next = text, p.Now.Add(lineInterval)
		}
	}
}

// end leaves the last state on the terminal.
func (d *progressDisplay) end() {
	if !d.drawn {
		return
	}
	_, _ = fmt.Fprintf(d.out, "\r\x1b[K%s\n", d.text(d.last))
}

// counts are numbers of queries, with what became of them. It leaves out those that are 0.
func counts(p *pipeline.Progress, words ...string) (parts []string) {
	for _, word := range words {
		n := map[string]int64{"failed": p.Fail, "skipped": p.Skip, "running": p.Busy, "waiting": p.Wait, "of them held back": p.Held, "throttled": p.Throttled}[word]
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	return parts
}

// before is the line of a run without queries; empty if it has some.
func before(p *pipeline.Progress) string {
	switch {
	case p.Run.State == pipeline.Planning:
		return fmt.Sprintf("run %d: finding the workspaces", p.Run.ID)
	case p.Total() == 0 && p.Over():
		return fmt.Sprintf("run %d: nothing was asked", p.Run.ID)
	}
	return ""
}

// text is the whole line.
func (d *progressDisplay) text(p *pipeline.Progress) string {
	if text := before(p); text != "" {
		return text
	}
	parts := append([]string{fmt.Sprintf("run %d: %d of %d done", p.Run.ID, p.Done, p.Total())}, counts(p, "running", "waiting", "of them held back", "failed", "skipped")...)
	text := strings.Join(parts, ", ") + "; " + strings.Join(append([]string{fmt.Sprintf("%d rows, %d calls", p.Rows, p.Calls)}, counts(p, "throttled")...), ", ")
	if p.Over() {
		text += fmt.Sprintf("; %d added, %d changed, %d removed; took %s", p.Added, p.Changed, p.Removed, p.Run.Ended.Sub(p.Run.Begun).Round(10*time.Millisecond))
	} else if left := d.estimate.left(); left > 0 {
		text += fmt.Sprintf("; about %s left", left)
	}
	return text
}

// line is the line for a terminal of a width: the failures and the time that is left come first, a bar takes what
// they leave, and the rest comes as far as it fits.
func (d *progressDisplay) line(p *pipeline.Progress, width int) string {
	head, text := fmt.Sprintf("run %d: ", p.Run.ID), before(p)
	if text == "" {
		parts := append([]string{fmt.Sprintf("%d of %d done", p.Done, p.Total())}, counts(p, "failed", "skipped")...)
		if left := d.estimate.left(); left > 0 && !p.Over() {
			parts = append(parts, fmt.Sprintf("about %s left", left))
		}
		text = strings.Join(parts, ", ")
		if bar := min(progressBar, width-len(head)-len(text)-1); bar >= leastBar && p.Total() > 0 {
			filled := int((p.Done + p.Fail + p.Skip) * int64(bar) / p.Total())
			text = strings.Repeat("█", filled) + strings.Repeat("░", bar-filled) + " " + text
		}
		text = head + text
		for _, part := range append(counts(p, "of them held back", "running", "waiting"), fmt.Sprintf("%d rows", p.Rows), fmt.Sprintf("%d calls", p.Calls)) {
			part = ", " + strings.Replace(part, "of them ", "", 1)
			if utf8.RuneCountInString(text)+len(part) > width {
				break
			}
			text += part
		}
	}
	if shown := []rune(text); len(shown) > width {
		text = string(shown[:max(width, 0)])
	}
	return text
}

// estimate is how long the rest of a run takes. It goes by the time in which queries could end: a rate limit, or the
// lease of a worker that died, does not make it climb.
type estimate struct {
	at      time.Time // of the last observation
	first   int64     // queries that had ended at the first one
	ended   int64     // and at the last one
	working time.Duration
	pending time.Duration // time since a query ended, without waits
	longest time.Duration // of the pending times so far
	shown   time.Duration
}

const (
	// leastWorking is the time of work before an estimate.
	leastWorking = 2 * time.Second
	// mostSilence is how many times longer than before nothing may end, before it is a wait.
	mostSilence = 2
)

// observe takes in where the run is.
func (e *estimate) observe(p *pipeline.Progress) {
	if p.Run.State != pipeline.Running {
		return
	}
	ended, waits := p.Done+p.Fail+p.Skip, p.Held > 0 || p.Busy == 0
	passed, before := p.Now.Sub(e.at), e.ended
	if e.at.IsZero() {
		passed, before, e.first = 0, ended, ended
	}
	e.at, e.ended = p.Now, ended
	if ended == before && waits {
		return // nothing can end
	}
	e.pending += passed
	if ended == before {
		return
	}
	counted, most := e.pending, max(mostSilence*e.longest, leastWorking)
	if e.longest > 0 && e.pending > most { // a wait, but for the first time, which is as long as it is
		counted = e.longest
	}
	e.longest = max(e.longest, min(e.pending, most))
	if e.working == 0 {
		e.longest = e.pending
	}
	e.working += counted
	e.pending = 0
	left := e.working * time.Duration(p.Total()-ended) / time.Duration(ended-e.first)
	if waits && e.shown > 0 {
		left = min(left, e.shown)
	}
	e.shown = left
}

// left is the estimate; 0 if there is none yet.
func (e *estimate) left() time.Duration {
	if e.working < leastWorking {
		return 0
	}
	return e.shown.Round(time.Second)
}
