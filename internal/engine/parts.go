package engine

import (
	"slices"
	"sync"
)

// parts are the attributes by which rows of a statement report that they are incomplete.
type parts struct {
	mu   sync.Mutex
	said []string
}

func (p *parts) add(method, attribute string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := method + ": " + attribute; !slices.Contains(p.said, text) {
		p.said = append(p.said, text)
	}
}

// note reports the parts added since the last call, in a fixed order.
func (p *parts) note(note func(format string, args ...any)) {
	p.mu.Lock()
	said := p.said
	p.said = nil
	p.mu.Unlock()
	slices.Sort(said)
	for _, text := range said {
		note("%s says that a row is a part of what there is: the rest was not read", text)
	}
}
