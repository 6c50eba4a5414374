//go:build race

package differential

// What runs unless LAKEQL_DIFFERENTIAL says otherwise.
const (
	usualQueries = 1200
	turns        = true
)
