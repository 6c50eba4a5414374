//go:build !race

package differential

// What runs unless LAKEQL_DIFFERENTIAL says otherwise.
const (
	usualQueries = 3000
	turns        = false
)
