package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// pageCheck compares pages with those in a folder.
type pageCheck struct {
	mu     sync.Mutex
	pages  map[string]bool // files that are pages
	faults []string
}

// compare keeps a fault if the file is not the page.
func (c *pageCheck) compare(file string, page []byte) error {
	there, err := os.ReadFile(file)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages == nil {
		c.pages = map[string]bool{}
	}
	c.pages[file] = true
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.faults = append(c.faults, file+": missing")
	case err != nil:
		return provider.Usagef("check the pages: %v", err).Because(err)
	case !bytes.Equal(there, page):
		c.faults = append(c.faults, file+": different")
	}
	return nil
}

// leftOver keeps a fault for each page in the folder of a provider, or of the part of it, that is no page of today.
func (c *pageCheck) leftOver(dir, service, resource string) error {
	if service != "" {
		dir = filepath.Join(dir, "services", service, resource)
	}
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.Name() == "index.md" && !entry.IsDir() && !c.pages[file]:
			c.faults = append(c.faults, file+": left over")
		}
		return nil
	})
	if err != nil {
		return provider.Usagef("check the pages: %v", err).Because(err)
	}
	return nil
}

// report writes the faults, a line each, and fails if there is one.
func (c *pageCheck) report(w io.Writer) error {
	slices.Sort(c.faults)
	if len(c.faults) == 0 {
		return nil
	}
	for i, fault := range c.faults {
		c.faults[i] = provider.Printable(fault)
	}
	if _, err := fmt.Fprintln(w, strings.Join(c.faults, "\n")); err != nil {
		return err
	}
	return fmt.Errorf("the pages are out of date: %s of %s; run lakeql docs without --check", plural(int64(len(c.faults)), "fault"), plural(int64(len(c.pages)), "page"))
}
