package terminal

import (
	"io"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
)

const (
	// patience is how long a statement may take before a status line appears.
	patience = 500 * time.Millisecond
	// redraw is the interval between two states of the line.
	redraw = 100 * time.Millisecond
)

// Status is a line at the bottom of a terminal that shows what a statement waits for. It disappears when
// something else is written, and when the statement ends.
type Status struct {
	out  io.Writer
	size func() (width, height int)

	mu    sync.Mutex
	drawn bool
	quiet bool // a pager has the screen
}

// NewStatus makes a status line for a terminal.
func NewStatus(out io.Writer) *Status {
	return &Status{out: out, size: func() (int, int) { return Size(out) }}
}

// Start shows the line, in a moment, until the returned function is called. text returns what it shows.
func (s *Status) Start(text func() string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		wait := time.NewTimer(patience)
		defer wait.Stop()
		for {
			select {
			case <-done:
				return
			case <-wait.C:
				s.draw(text())
				wait.Reset(redraw)
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-ended
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clear()
		s.quiet = false
	})
}

// Leave lets another program, such as a pager, have the screen until the statement ends.
func (s *Status) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.quiet = true
}

func (s *Status) draw(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet || text == "" {
		return
	}
	width, _ := s.size()
	_, _ = io.WriteString(s.out, "\r\x1b[K"+runewidth.Truncate(text, width-1, "…"))
	s.drawn = true
}

func (s *Status) clear() {
	if s.drawn {
		_, _ = io.WriteString(s.out, "\r\x1b[K")
		s.drawn = false
	}
}

// Over returns a writer to the same terminal. It removes the line before it writes.
func (s *Status) Over(w io.Writer) io.Writer { return over{s, w} }

type over struct {
	status *Status
	w      io.Writer
}

func (o over) Write(b []byte) (int, error) {
	o.status.mu.Lock()
	defer o.status.mu.Unlock()
	o.status.clear()
	return o.w.Write(b)
}
