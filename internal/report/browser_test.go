package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser finds Chromium, which setup.sh installs. Tests skip what is not there, except under CI=1.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("Chromium is missing: internal/testworld/setup.sh installs it")
	}
	t.Skip("Chromium is missing: internal/testworld/setup.sh installs it")
	return ""
}

// browse runs Chromium without a window, and returns what it prints.
func browse(t *testing.T, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser(t), append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(),
	}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Chromium: %v\n%s", err, &stderr)
	}
	return out
}

// measured is what the browser says about a page at a width.
type measured struct {
	Width, Page int // of the window, and of what is in it
	Height      int
	Words       int      // characters of its text
	Rows        int      // of the map of freshness that are visible
	Wide        []string // elements that stand out of the window
	Faint       []string // texts with too little contrast
	Texts       int      // texts whose contrast was measured
	Dark        bool
	Headings    string
	Loose       int      // heads of tables without a scope
	Blank       []string // pictures without a title
	Loaded      int      // resources from elsewhere
}

// harness is a page that shows the report in windows of several widths, and measures it there. The report itself
// has no script.
const harness = `<!DOCTYPE html><meta name="color-scheme" content="light dark"><body><script>
const widths = [390, 768, 1440];
const luminance = c => { const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4) }; return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]) };
const parse = s => { const n = s.match(/[\d.]+/g).map(Number); return n.length === 3 ? [...n, 1] : n };
const contrast = (a, b) => { const x = luminance(a), y = luminance(b); return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05) };
function measure(frame, width) {
	const d = frame.contentDocument, w = frame.contentWindow, root = d.documentElement;
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(w.getComputedStyle(e).backgroundColor); if (c[3] === 1) return c } return [255, 255, 255, 1] };
	const scrolls = e => { for (; e; e = e.parentElement) if (e.classList.contains('wide')) return true; return false };
	const hidden = e => { for (; e; e = e.parentElement) { const s = w.getComputedStyle(e); if (s.clipPath !== 'none' || s.display === 'none' || s.visibility === 'hidden') return true } return false };
	const faint = [], wide = [];
	let texts = 0;
	const walker = d.createTreeWalker(d.body, NodeFilter.SHOW_TEXT);
	for (let n; n = walker.nextNode();) {
		const e = n.parentElement;
		if (!n.data.trim() || e.closest('svg, style') || hidden(e) || e.getClientRects().length === 0) continue;
		texts++;
		const c = contrast(parse(w.getComputedStyle(e).color), behind(e));
		if (c < 4.5 && faint.length < 10) faint.push(n.data.trim().slice(0, 40) + ': ' + c.toFixed(2));
	}
	for (const e of d.body.querySelectorAll('*')) {
		const r = e.getBoundingClientRect();
		if (r.width > 0 && r.right > width + 1 && !scrolls(e) && !hidden(e) && wide.length < 10) wide.push(e.tagName + '.' + e.getAttribute('class') + ' ' + Math.round(r.right));
	}
	return {
		Width: width, Page: root.scrollWidth, Height: root.scrollHeight, Words: d.body.innerText.length, Rows: [...d.querySelectorAll('.heat tbody tr')].filter(e => e.getClientRects().length).length,
		Wide: wide, Faint: faint, Texts: texts, Dark: w.matchMedia('(prefers-color-scheme: dark)').matches,
		Headings: [...d.querySelectorAll('h1, h2, h3, h4')].map(e => e.tagName[1]).join(''), Loose: d.querySelectorAll('th:not([scope])').length,
		Blank: [...d.querySelectorAll('svg')].filter(e => !e.querySelector('title') && !e.getAttribute('aria-label')).map(e => e.outerHTML.slice(0, 60)),
		Loaded: w.performance.getEntriesByType('resource').length,
	};
}
const done = [];
for (const width of widths) {
	const frame = document.createElement('iframe');
	frame.width = width; frame.height = 900; frame.style.border = 0; frame.src = 'report.html';
	frame.onload = () => {
		done.push(measure(frame, width));
		if (done.length === widths.length) { const p = document.createElement('pre'); p.id = 'measured'; p.textContent = JSON.stringify(done.sort((a, b) => a.Width - b.Width)); document.body.append(p) }
	};
	document.body.append(frame);
}
</script>`

// TestInBrowser measures the page as a browser draws it: on a phone, a tablet and a desk, light and dark.
func TestInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	page := draw(t, newWorld(100, 16))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		text := harness
		if r.URL.Path == "/report.html" {
			text = page
		}
		_, _ = fmt.Fprint(w, text)
	}))
	defer server.Close()
	for theme, scheme := range map[string]string{"light": "1", "dark": "0"} {
		dom := browse(t, "--blink-settings=preferredColorScheme="+scheme, "--window-size=1600,1200", "--virtual-time-budget=20000", "--dump-dom", server.URL+"/")
		found := regexp.MustCompile(`(?s)<pre id="measured">(.*?)</pre>`).FindSubmatch(dom)
		if found == nil {
			t.Fatalf("%s: nothing was measured:\n%s", theme, dom)
		}
		var all []measured
		if err := json.Unmarshal([]byte(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(string(found[1]))), &all); err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			m.check(t, fmt.Sprintf("%s at %d", theme, m.Width), theme == "dark")
		}
	}
}

// check holds a measured page against what every page has to be.
func (m *measured) check(t *testing.T, name string, dark bool) {
	t.Helper()
	if m.Page > m.Width || len(m.Wide) > 0 {
		t.Errorf("%s: the page is %d wide; %q", name, m.Page, m.Wide)
	}
	if m.Texts < 500 || len(m.Faint) > 0 {
		t.Errorf("%s: of %d texts these have too little contrast: %q", name, m.Texts, m.Faint)
	}
	if m.Words < 3000 || m.Rows < leastOpen || m.Height < 2000 {
		t.Errorf("%s: %d characters, %d rows of the map, %d high", name, m.Words, m.Rows, m.Height)
	}
	if m.Dark != dark {
		t.Errorf("%s: dark is %v", name, m.Dark)
	}
	if m.Loose > 0 || len(m.Blank) > 0 || m.Loaded > 0 {
		t.Errorf("%s: %d heads without a scope, pictures without a title: %q, %d resources loaded", name, m.Loose, m.Blank, m.Loaded)
	}
	last := 0
	for _, level := range m.Headings { // none is left out on the way down
		if n := int(level - '0'); n > last+1 {
			t.Errorf("%s: the headings are %s", name, m.Headings)
		} else {
			last = n
		}
	}
}

// TestPictureAndPrint: the page is drawn with its colours, and prints on a few sheets.
func TestPictureAndPrint(t *testing.T) {
	t.Parallel()
	browser(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "report.html")
	if err := os.WriteFile(file, []byte(draw(t, newWorld(100, 16))), 0o600); err != nil {
		t.Fatal(err)
	}
	picture, sheets := filepath.Join(dir, "page.png"), filepath.Join(dir, "page.pdf")
	browse(t, "--blink-settings=preferredColorScheme=1", "--window-size=768,1600", "--screenshot="+picture, "file://"+file)
	if n := colours(t, picture); n < 50 {
		t.Errorf("the picture has %d colours", n)
	}
	browse(t, "--no-pdf-header-footer", "--print-to-pdf="+sheets, "file://"+file)
	pdf, err := os.ReadFile(sheets)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n < 2 || n > 8 {
		t.Errorf("it prints on %d sheets", n)
	}
}

// colours counts the colours of a picture.
func colours(t *testing.T, file string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[3]uint32]bool{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			seen[[3]uint32{r, g, b}] = true
		}
	}
	return len(seen)
}
