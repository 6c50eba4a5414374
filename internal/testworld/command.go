package testworld

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// CommandVersion is the version that BuildCommand gives the command.
const CommandVersion = "1.2.3-test"

// BuildCommand builds the command, once for all tests of a package: TestMain calls it. It returns where the
// command is, and what removes it.
func BuildCommand() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "lakeql")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // what stays lies among the temporary files
	path = filepath.Join(dir, "lakeql")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, //nolint:gosec // a test builds its own command
		"-ldflags", "-X github.com/lakeql/lakeql/internal/cli.version="+CommandVersion, "github.com/lakeql/lakeql")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return path, remove, nil
}

// SQLServer is a running lakeql srv.
type SQLServer struct {
	Host, Port string
	Command    *exec.Cmd
	Stderr     *bytes.Buffer // read it when the command has ended
}

// StartSQLServer starts a command that is lakeql srv, and ends it with the test.
func StartSQLServer(t *testing.T, command *exec.Cmd) *SQLServer {
	t.Helper()
	s := &SQLServer{Command: command, Stderr: &bytes.Buffer{}}
	s.Command.Stderr = s.Stderr
	out, err := s.Command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		_ = s.Command.Wait()
		t.Fatalf("%q, %v\n%s", line, err, s.Stderr)
	}
	if s.Host, s.Port, err = net.SplitHostPort(address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Command.Process.Signal(syscall.SIGTERM) // it may have ended
		_, _ = io.Copy(io.Discard, out)
		_ = s.Command.Wait()
	})
	return s
}
