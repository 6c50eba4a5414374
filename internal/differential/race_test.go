//go:build race

package differential

// The default, without LAKEQL_DIFFERENTIAL.
const (
	usualQueries = 1200
	turns        = true
)
