package engine

import (
	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/provider"
)

// MemoryStore is the path of a store that ends with the session.
const MemoryStore = localstore.Memory

// Stores returns the stores of the session. It makes them at the first call.
func (s *Session) Stores() *localstore.Stores {
	s.once.Do(func() { s.local = localstore.New(s.StorePath, s.Backend, s.SQLMemory) })
	return s.local
}

// Close releases the session's memory.
func (s *Session) Close() {
	if s.local != nil {
		s.local.Close()
	}
}

// whole returns an error if the statement continued without a part of an answer. A gap in stored rows would
// be invisible later.
func (s *Session) whole(pos provider.Position) error {
	missing := s.Missing()
	if len(missing) == 0 {
		return nil
	}
	return provider.Errorf(provider.CodeOf(missing[0].Err), "nothing was kept, because the rows are not complete: %s", missing[0].String()).
		At(pos).
		Because(missing[0].Err)
}

// storeNames lists the tables and views of the stores, for a hint.
func (s *Session) storeNames() []string {
	objects, err := s.Stores().Objects()
	if err != nil {
		return nil // the statement's own error counts
	}
	names := make([]string, len(objects))
	for i := range objects {
		names[i] = objects[i].Name
	}
	return names
}
