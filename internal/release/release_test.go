package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aead.dev/minisign"
	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/blakesmith/ar"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/sassoftware/go-rpmutils"
)

// tested is the version that the tests release. It is one before the final one, so it needs no section of its
// own in the changelog.
const tested = "9.9.9-rc.1"

// chosen returns the platforms that the tests release for: this machine's, and one of each other system.
func chosen() []platform { return []platform{host(), {"darwin", "arm64"}, {"windows", "amd64"}} }

// checkout makes a checkout of the files of this one, committed or not, with one commit of a fixed date.
func checkout(t *testing.T) string {
	t.Helper()
	root := git(t, ".", "rev-parse", "--show-toplevel")
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(git(t, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		info, err := os.Lstat(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(from)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, info.Mode().Perm())); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "All")
	return dir
}

// git runs git as somebody who is the same everywhere.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-11-30T12:00:00Z", "GIT_COMMITTER_DATE=2026-11-30T12:00:00Z")
	out, err := captured(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// made is a release that a test looks at.
type made struct {
	dir    string
	commit string
	public minisign.PublicKey
}

// release makes a release. Only the command of this machine is compiled: it stands in for
// those of the other platforms, whose code is the compiler's matter.
func makeRelease(t *testing.T, dir string, key *signer) made {
	t.Helper()
	r, err := open(t.Context(), dir, tested)
	if err != nil {
		t.Fatal(err)
	}
	r.platforms, r.signer, r.log = []platform{host()}, key, io.Discard
	r.work = t.TempDir()
	if err := r.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range chosen() {
		r.binaries[p] = r.binaries[host()]
	}
	r.platforms = chosen()
	out := filepath.Join(dir, "dist", "release")
	if err := r.write(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	return made{out, r.commit, key.public}
}

// newKey makes a key, as `minisign -G` does.
func newKey(t *testing.T) *signer {
	t.Helper()
	_, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := minisign.EncryptKey("a password", secret)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "minisign.key")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readKey(name, "another password"); err == nil {
		t.Fatal("a wrong password opens the key")
	}
	key, err := readKey(name, "a password")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestRelease makes a release twice, in two folders, and looks at every file as its users do.
func TestRelease(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	m := makeRelease(t, checkout(t), key)
	t.Run("reproducible", func(t *testing.T) {
		t.Parallel()
		again := makeRelease(t, checkout(t), key)
		want, got := readAll(t, m.dir), readAll(t, again.dir)
		if len(want) != len(got) || len(want) < 14 {
			t.Errorf("%d files, then %d", len(want), len(got))
		}
		for name, content := range want {
			if !bytes.Equal(content, got[name]) {
				t.Errorf("%s differs from one build to the next", name)
			}
		}
	})
	for name, test := range map[string]func(*testing.T, made){
		"sums": testSums, "archives": testArchives, "deb": testDeb, "rpm": testRPM, "apk": testAPK, "image": testImage,
		"bill": testBill, "manifests": testManifests, "script": testScript,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, m) })
	}
}

// readAll returns the files of a folder by name.
func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		found[entry.Name()] = read(t, filepath.Join(dir, entry.Name()))
	}
	return found
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// testSums compares the sums with the files, as sha256sum does, and the signature.
func testSums(t *testing.T, m made) {
	t.Helper()
	files := readAll(t, m.dir)
	lines := strings.Split(strings.TrimSuffix(string(files[sums]), "\n"), "\n")
	if len(lines) != len(files)-2 { // the sums and their signature
		t.Errorf("%d sums of %d files", len(lines), len(files))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		if got, err := sumOf(filepath.Join(m.dir, name)); got != want || err != nil {
			t.Errorf("%s: %s and not %s (%v)", name, got, want, err)
		}
	}
	if !minisign.Verify(m.public, files[sums], files[sums+".minisig"]) {
		t.Error("the signature is wrong")
	}
	if minisign.Verify(m.public, append(files[sums], '\n'), files[sums+".minisig"]) {
		t.Error("the signature is right for other sums")
	}
}

// runs shows that a command is this version, of this commit, and that it works.
func runs(t *testing.T, m made, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, "version", "--json")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	out, err := captured(cmd)
	var version struct{ Version, Commit string }
	if err := errors.Join(err, json.Unmarshal([]byte(out), &version)); err != nil || version.Version != tested || version.Commit != m.commit {
		t.Errorf("%s version --json: %s %v", command, out, err)
	}
	cmd = exec.CommandContext(t.Context(), command, "exec", "--emulator", "-o", "csv", "SELECT name FROM databricks_workspace.postgres.postgres_projects WHERE project_id = 'orders'")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	if out, err := captured(cmd); err != nil || !strings.Contains(out, "projects/orders") {
		t.Errorf("%s exec: %s %v", command, out, err)
	}
}

// testArchives unpacks each archive, and runs the command of this machine.
func testArchives(t *testing.T, m made) {
	t.Helper()
	for _, p := range chosen() {
		ending := archiveEnding(p)
		folder := fmt.Sprintf("lakeql_%s_%s_%s", tested, p.os, p.arch)
		content := read(t, filepath.Join(m.dir, folder+ending))
		to := t.TempDir()
		if ending == ".zip" {
			unzip(t, content, to)
		} else {
			untar(t, gunzip(t, content), to)
		}
		if entries, err := os.ReadDir(to); err != nil || len(entries) != 1 {
			t.Errorf("%s has %v, and not one folder", folder, entries)
		}
		for _, name := range []string{"README.md", "LICENSE", licencesFile, "man/lakeql.1", "man/lakeql-exec.1", "completions/lakeql.bash", "completions/_lakeql"} {
			if len(read(t, filepath.Join(to, folder, name))) == 0 {
				t.Errorf("%s of %s is empty", name, folder)
			}
		}
		command := filepath.Join(to, folder, p.binary())
		if info, err := os.Stat(command); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v %v", command, info, err)
		}
		if p == host() {
			runs(t, m, command)
		}
	}
	licences := string(read(t, filepath.Join(unpacked(t, m), licencesFile)))
	for _, want := range []string{"Go's standard library: LICENSE", "github.com/jackc/pgx/v5 v", "google.golang.org/grpc v", "Permission is hereby granted", "Apache License"} {
		if !strings.Contains(licences, want) {
			t.Errorf("%s has no %q", licencesFile, want)
		}
	}
}

// unpacked is the folder of this machine's archive.
func unpacked(t *testing.T, m made) string {
	t.Helper()
	to := t.TempDir()
	folder := fmt.Sprintf("lakeql_%s_%s_%s", tested, host().os, host().arch)
	untar(t, gunzip(t, read(t, filepath.Join(m.dir, folder+".tar.gz"))), to)
	return filepath.Join(to, folder)
}

func gunzip(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// untar unpacks a tar, or several that follow each other, and returns the headers by name.
func untar(t *testing.T, content []byte, to string) map[string]*tar.Header {
	t.Helper()
	headers := map[string]*tar.Header{}
	r := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return headers
		}
		if err != nil {
			t.Fatal(err)
		}
		headers[strings.TrimSuffix(strings.TrimPrefix(header.Name, "."), "/")] = header
		if header.Typeflag == tar.TypeReg {
			unpack(t, r, filepath.Join(to, filepath.FromSlash(header.Name)), header.FileInfo().Mode())
		}
	}
}

func unzip(t *testing.T, content []byte, to string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		unpack(t, in, filepath.Join(to, filepath.FromSlash(f.Name)), f.Mode())
	}
}

func unpack(t *testing.T, r io.Reader, to string, mode fs.FileMode) {
	t.Helper()
	content, err := io.ReadAll(r)
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, content, mode.Perm())); err != nil {
		t.Fatal(err)
	}
}

// one returns the only file of a release whose name a pattern matches.
func one(t *testing.T, m made, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(m.dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v %v", pattern, found, err)
	}
	return found[0]
}

// wanted are files that every package has.
var wanted = []string{
	"/usr/bin/lakeql", "/usr/share/man/man1/lakeql.1", "/usr/share/bash-completion/completions/lakeql",
	"/usr/share/doc/lakeql/copyright", "/usr/share/doc/lakeql/" + licencesFile,
}

// testDeb unpacks the package; as root, where Debian's dpkg is, it also installs and removes it.
func testDeb(t *testing.T, m made) {
	t.Helper()
	name := one(t, m, "*_"+host().arch+".deb")
	r := ar.NewReader(bytes.NewReader(read(t, name)))
	to := t.TempDir()
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(header.Name, "data.tar.gz") {
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			has(t, untar(t, gunzip(t, content), to))
		}
	}
	runs(t, m, filepath.Join(to, "usr/bin/lakeql"))
	if _, err := exec.LookPath("dpkg"); err != nil || os.Geteuid() != 0 {
		return
	}
	root := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755), os.Mkdir(filepath.Join(root, "var/lib/dpkg/info"), 0o755),
		os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	dpkg := func(args ...string) {
		t.Helper()
		if _, err := output(t.Context(), "", "dpkg", append([]string{"--root=" + root}, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	dpkg("--install", name)
	runs(t, m, filepath.Join(root, "usr/bin/lakeql"))
	dpkg("--remove", "lakeql")
	if _, err := os.Stat(filepath.Join(root, "usr/share/doc/lakeql")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the removal: %v", err)
	}
}

// has shows that a package has its files, and that they belong to root.
func has(t *testing.T, headers map[string]*tar.Header) {
	t.Helper()
	for _, name := range wanted {
		header := headers[name]
		if header == nil {
			header = headers[strings.TrimPrefix(name, "/")]
		}
		if header == nil || header.Uid != 0 || header.Gid != 0 || header.Size == 0 || header.Mode&0o022 != 0 {
			t.Errorf("%s: %+v", name, header)
		}
	}
}

func testRPM(t *testing.T, m made) {
	t.Helper()
	rpm, err := rpmutils.ReadRpm(bytes.NewReader(read(t, one(t, m, "*."+rpmArch()+".rpm"))))
	if err != nil {
		t.Fatal(err)
	}
	files, err := rpm.Header.GetFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range wanted {
		if !slices.ContainsFunc(files, func(f rpmutils.FileInfo) bool { return f.Name() == name && f.UserName() == "root" && f.Size() > 0 }) {
			t.Errorf("%s is missing", name)
		}
	}
	to := t.TempDir()
	if i := slices.IndexFunc(files, func(f rpmutils.FileInfo) bool { return f.Name() == "/usr/bin/lakeql" }); files[i].Mode()&0o777 != 0o755 {
		t.Errorf("the command has the mode %o", files[i].Mode())
	}
	// The library does not keep the modes of files.
	if err := errors.Join(rpm.ExpandPayload(to), os.Chmod(filepath.Join(to, "usr/bin/lakeql"), 0o755)); err != nil {
		t.Fatal(err)
	}
	runs(t, m, filepath.Join(to, "usr/bin/lakeql"))
	if built, err := rpm.Header.GetString(rpmutils.BUILDHOST); built != "lakeql" || err != nil {
		t.Errorf("the package names the machine %q that it was built on (%v)", built, err)
	}
}

// rpmArch is what RPM calls this machine's processor.
func rpmArch() string {
	if host().arch == "arm64" {
		return "aarch64"
	}
	return "x86_64"
}

func testAPK(t *testing.T, m made) {
	t.Helper()
	to := t.TempDir()
	has(t, untar(t, gunzip(t, read(t, one(t, m, "*_"+rpmArch()+".apk"))), to))
	runs(t, m, filepath.Join(to, "usr/bin/lakeql"))
}

// testImage reads the image as a registry does, and runs its command.
func testImage(t *testing.T, m made) {
	t.Helper()
	dir := t.TempDir()
	untar(t, read(t, one(t, m, "*_oci.tar")), dir)
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != tested {
		t.Fatalf("%+v %v", manifest, err)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err := errors.Join(err, validate.Index(index)); err != nil {
		t.Fatal(err)
	}
	manifest, err = index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("%+v %v", manifest, err)
	}
	i := slices.IndexFunc(manifest.Manifests, func(d v1.Descriptor) bool { return d.Platform.Architecture == host().arch })
	image, err := index.Image(manifest.Manifests[i].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil || config.Config.User != "65532:65532" || config.Config.Labels["org.opencontainers.image.revision"] != m.commit {
		t.Errorf("%+v %v", config, err)
	}
	content, err := io.ReadAll(mutate.Extract(image))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	headers := untar(t, content, to)
	if home := headers[homeAt]; home == nil || home.Uid != nobody {
		t.Errorf("the home is %+v", home)
	}
	runs(t, m, filepath.Join(to, "usr/bin/lakeql"))
	roots, count := read(t, filepath.Join(to, rootsAt)), 0
	for block, rest := pem.Decode(roots); block != nil; block, rest = pem.Decode(rest) {
		count++
	}
	if count < 100 {
		t.Errorf("%d roots of trust", count)
	}
}

func testBill(t *testing.T, m made) {
	t.Helper()
	for _, p := range chosen() {
		var bill cdx.BOM
		name := fmt.Sprintf("lakeql_%s_%s_%s.cdx.json", tested, p.os, p.arch)
		if err := cdx.NewBOMDecoder(bytes.NewReader(read(t, filepath.Join(m.dir, name))), cdx.BOMFileFormatJSON).Decode(&bill); err != nil {
			t.Fatal(err)
		}
		want := git(t, ".", "grep", "-h", "jackc/pgx/v5 v", "--", "../../go.mod")
		if !slices.ContainsFunc(*bill.Components, func(c cdx.Component) bool {
			return strings.Contains(want, c.Name+" "+c.Version) && c.PackageURL == "pkg:golang/"+c.Name+"@"+c.Version
		}) {
			t.Errorf("%s has no %s", name, want)
		}
		if len(*bill.Components) < 50 || bill.Metadata.Component.Version != tested || !strings.HasPrefix(bill.SerialNumber, "urn:uuid:") {
			t.Errorf("%s: %d components of %+v", name, len(*bill.Components), bill.Metadata.Component)
		}
	}
}

// testManifests shows that each manifest names an archive of the release, with its sum.
func testManifests(t *testing.T, m made) {
	t.Helper()
	for name, systems := range map[string][]string{"lakeql.rb": {"darwin", "linux"}, "lakeql.json": {"windows"}} {
		text := string(read(t, filepath.Join(m.dir, name)))
		for _, p := range chosen() {
			if !slices.Contains(systems, p.os) {
				continue
			}
			archive := fmt.Sprintf("lakeql_%s_%s_%s%s", tested, p.os, p.arch, archiveEnding(p))
			url := repository + "/releases/download/v" + tested + "/" + archive
			_, after, found := strings.Cut(text, url)
			sum, err := sumOf(filepath.Join(m.dir, archive))
			if !found || !strings.Contains(after, sum) || err != nil {
				t.Errorf("%s does not name %s with %s (%v):\n%s", name, url, sum, err, text)
			}
		}
	}
	if !json.Valid(read(t, filepath.Join(m.dir, "lakeql.json"))) {
		t.Error("lakeql.json is not JSON")
	}
	if notes := string(read(t, filepath.Join(m.dir, "RELEASE_NOTES.md"))); !strings.HasPrefix(notes, "### ") || strings.Contains(notes, "## [") {
		t.Errorf("the notes are %.200s", notes)
	}
}

// testScript installs by the script, over HTTP, with each of the programs that check signatures; and shows
// that it installs nothing from files that are not the release's.
func testScript(t *testing.T, m made) {
	t.Helper()
	programs := t.TempDir() // minisign, and what the script needs besides
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(programs, "minisign"), "aead.dev/minisign/cmd/minisign")
	if _, err := captured(build); err != nil {
		t.Fatal(err)
	}
	other := newKey(t)
	files := readAll(t, m.dir)
	archive := fmt.Sprintf("lakeql_%s_%s_%s.tar.gz", tested, host().os, host().arch)
	changed := bytes.Clone(files[archive])
	changed[len(changed)/2] ^= 1
	forged := bytes.Replace(files[sums], []byte("  "+archive), []byte("  "+archive+" "), 1)
	reader := minisign.NewReader(bytes.NewReader(files[sums]))
	if _, err := io.Copy(io.Discard, reader); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file, want string // what replaces a file, and what the script then says
		content    []byte
	}{
		"the release":         {want: "installed lakeql " + tested},
		"a changed archive":   {file: archive, content: changed, want: "does not have its checksum"},
		"changed sums":        {file: sums, content: forged, want: "not of the key"},
		"another key's":       {file: sums + ".minisig", content: reader.Sign(other.secret), want: "not of the key"},
		"no signature":        {file: sums + ".minisig", content: []byte("untrusted comment: none\n"), want: "not of the key"},
		"a missing signature": {file: sums + ".minisig", want: "cannot download"},
	} {
		for checker, path := range map[string]string{"minisign": programs + ":" + os.Getenv("PATH"), "OpenSSL": os.Getenv("PATH")} {
			t.Run(name+" by "+checker, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked := strings.TrimPrefix(r.URL.Path, "/")
					content, ok := files[asked]
					if asked == test.file {
						content, ok = test.content, test.content != nil
					}
					if !ok {
						http.NotFound(w, r)
						return
					}
					_, _ = w.Write(content)
				}))
				defer server.Close()
				to := t.TempDir()
				cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(m.dir, "install.sh"))
				cmd.Env = []string{"PATH=" + path, "HOME=" + t.TempDir(), "PREFIX=" + to, "SOURCE=" + server.URL}
				out, err := cmd.CombinedOutput()
				if !strings.Contains(string(out), test.want) {
					t.Errorf("it says %s", out)
				}
				if test.file == "" {
					if err != nil {
						t.Errorf("%v: %s", err, out)
					}
					runs(t, m, filepath.Join(to, "bin/lakeql"))
					return
				}
				if entries, _ := os.ReadDir(to); err == nil || len(entries) > 0 {
					t.Errorf("it ends with %v, and has installed %v", err, entries)
				}
			})
		}
	}
}

// TestRefusals shows from what no release is made.
func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-11-30\n")
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "All")
	git(t, dir, "tag", "v0.2.1")
	for version, want := range map[string]string{
		"":           "is no version",
		"0.2":        "is no version",
		"0.2.0+meta": "is no version",
		"0.3.0":      "no section [0.3.0]",
		"0.1.0":      "is empty",
		"0.3.0-rc.1": "[Unreleased] of CHANGELOG.md is empty",
	} {
		if _, err := open(t.Context(), dir, version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", version, err, want)
		}
	}
	r, err := open(t.Context(), dir, "v0.2.0")
	if err != nil || r.version != "0.2.0" || r.notes != "### Added\n\n- A thing.\n" {
		t.Errorf("%+v %v", r, err)
	}
	write("new", "")
	if _, err := open(t.Context(), dir, "0.2.0"); err == nil || !strings.Contains(err.Error(), "not clean") {
		t.Errorf("changed files: %v", err)
	}
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "More")
	git(t, dir, "tag", "v0.2.0", "HEAD~1")
	if _, err := open(t.Context(), dir, "0.2.0"); err == nil || !strings.Contains(err.Error(), "tag v0.2.0") {
		t.Errorf("a tag of another commit: %v", err)
	}
	if err := run(context.Background(), []string{"-version", "0.2.0", "-platforms", "plan9/amd64"}, io.Discard); err == nil || !strings.Contains(err.Error(), "plan9/amd64") {
		t.Errorf("another platform: %v", err)
	}
	out := t.TempDir()
	if err := (&release{}).write(t.Context(), out); err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a folder that exists: %v", err)
	}
}
