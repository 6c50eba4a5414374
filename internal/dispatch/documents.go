package dispatch

import (
	"regexp"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// Documents keeps what clients work out from the documents of one catalogue. The zero value is empty, and
// several clients may use it together.
type Documents struct {
	shapes   memo[shapeKey, *shape]
	parts    memo[*provider.Method, []string] // see partPaths
	patterns memo[string, *regexp.Regexp]     // by their text
}

// shapeKey is what a shape depends on.
type shapeKey struct {
	method *provider.Method
	bytes  bool // see Client.Bytes
}

// documents are those of the client, or its own.
func (c *Client) documents() *Documents {
	if c.Documents != nil {
		return c.Documents
	}
	return &c.ownDocuments
}

// mostKnown bounds a memo. The catalogue keeps its methods, but makes a new one for each use of a former
// name.
const mostKnown = 4_000

// memo keeps values that cost time to make.
type memo[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]V
}

// get returns the value of a key, and makes it if it is not known. Of several that are made at the same time,
// one is kept.
func (m *memo[K, V]) get(key K, create func() (V, error)) (V, error) {
	m.mu.RLock()
	value, ok := m.known[key]
	m.mu.RUnlock()
	if ok {
		return value, nil
	}
	value, err := create()
	if err != nil {
		return value, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= mostKnown {
		m.known = map[K]V{}
	}
	m.known[key] = value
	return value, nil
}
