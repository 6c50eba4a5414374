package deploycheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// judged is a file of docs/deploy, with what judges its text.
type judged struct {
	file  string
	judge func(text string) error
	// mistakes are texts of the file, each with a wrong one in its place, and with what the judge says about it.
	mistakes []mistake
}

type mistake struct{ right, wrong, says string }

// TestFiles: the files are right, and no mistake in them goes by.
func TestFiles(t *testing.T) {
	t.Parallel()
	for _, f := range []judged{worker(), cronJob(), compose(), dashboards()} {
		t.Run(f.file, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join("..", "..", "docs", "deploy", filepath.FromSlash(f.file)))
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			if err := f.judge(text); err != nil {
				t.Error(err)
			}
			for _, m := range f.mistakes {
				if !strings.Contains(text, m.right) {
					t.Errorf("the file does not have %q", m.right)
				}
				if err := f.judge(strings.Replace(text, m.right, m.wrong, 1)); err == nil || !strings.Contains(err.Error(), m.says) {
					t.Errorf("%q: the judge says %v, want %q", m.wrong, err, m.says)
				}
			}
		})
	}
}
