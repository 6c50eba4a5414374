package observe

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// Module is the module that the documents are generated from. Its version is the one in go.mod.
const Module = "github.com/databricks/databricks-sdk-go"

// Source returns the folder with the source of the module. It runs in this repository.
func Source(ctx context.Context) (string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", Module)
	list.Stderr = os.Stderr
	dir, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("find the source of %s: %w", Module, err)
	}
	return strings.TrimSpace(string(dir)), nil
}

// Read reads the official SDK: its source, and the requests of its clients. It runs in this repository.
func Read(ctx context.Context) (*sdk.API, error) {
	dir, err := Source(ctx)
	if err != nil {
		return nil, err
	}
	observer, err := New()
	if err != nil {
		return nil, err
	}
	return sdk.Read(dir, observer)
}
