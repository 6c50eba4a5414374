package testworld

import (
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

var embedded = sync.OnceValues(func() (*provider.Catalogue, error) {
	compiled, err := openapi.Embedded()
	if err != nil {
		return nil, err
	}
	return provider.NewCatalogue(compiled), nil
})

// Catalogue returns the shipped catalogue. All tests of a package share it, so that each service is
// decoded only once. Do not change it.
func Catalogue(tb testing.TB) *provider.Catalogue {
	tb.Helper()
	c, err := embedded()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// NewEmulator makes an emulator for a test that serves its requests itself. It serves the shipped
// catalogue unless the options have another one.
func NewEmulator(tb testing.TB, opts emulator.Options) *emulator.Emulator {
	tb.Helper()
	if opts.Catalogue == nil {
		opts.Catalogue = Catalogue(tb)
	}
	e, err := emulator.New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// StartEmulator runs an emulator on a loopback port until the test ends. It serves the shipped
// catalogue unless the options have another one.
func StartEmulator(tb testing.TB, opts emulator.Options) *emulator.Server {
	tb.Helper()
	if opts.Catalogue == nil {
		opts.Catalogue = Catalogue(tb)
	}
	s, err := emulator.Start(opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
