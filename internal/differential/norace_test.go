//go:build !race

package differential

// The default, without LAKEQL_DIFFERENTIAL.
const (
	usualQueries = 3000
	turns        = false
)
