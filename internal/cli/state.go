package cli

import (
	"os"
	"path/filepath"
)

// defaultStoreText is where help says that tables and views are kept.
const defaultStoreText = "~/.local/state/lakeql/store.db"

// stateFile is where a file is that outlives the command, by the XDG base directory specification;
// empty where there is no home.
func stateFile(name string) string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lakeql", name)
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ""
	}
	return filepath.Join(home, ".local", "state", "lakeql", name)
}
