// Command empty links net/http and does nothing: the least that `lakeql version` could cost.
package main

import (
	"net/http"
	"os"
)

func main() {
	if len(os.Args) > 2 { // never so: it keeps the linker from leaving net/http out
		_, _ = http.Get(os.Args[2]) //nolint:bodyclose,gosec,noctx // it does not run
	}
}
