//go:build unix

package testworld_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// machine is a folder of commands, which is all that setup.sh finds there, and one of the project. It lacks a C
// compiler.
type machine struct{ bin, project string }

func newMachine(t *testing.T, user string, without ...string) machine {
	t.Helper()
	m := machine{t.TempDir(), t.TempDir()}
	m.copy(t, "setup.sh", "internal/testworld/setup.sh")
	m.copy(t, "../clients/testdata/node/package-lock.json", "internal/clients/testdata/node/package-lock.json")
	for _, name := range []string{"sh", "env", "paste", "ls", "cp", "mkdir"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(m.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	stubs := map[string]string{
		"go":     "echo stubcc",
		"id":     "echo " + user,
		"initdb": "",
		// It writes down how it was called, and installs the compiler.
		"apt-get": `echo "$DEBIAN_FRONTEND apt-get $*" >>"$0.log"; case " $* " in *" install "*) cp "${0%/*}/initdb" "${0%/*}/stubcc"; for name; do cp "${0%/*}/initdb" "${0%/*}/has.$name"; done; [ ! -e "${0%/*}/has.chromium" ] || cp "${0%/*}/initdb" "${0%/*}/chromium"; [ ! -e "${0%/*}/has.npm" ] || cp "${0%/*}/node" "${0%/*}/npm"; [ ! -e "${0%/*}/has.default-jdk-headless" ] || cp "${0%/*}/initdb" "${0%/*}/javac";; esac`,
		// As npm it writes down how it was called, and leaves a file as npm does.
		"node": `echo "npm $*" >>"$0.log"; mkdir -p node_modules; cp package-lock.json node_modules/.package-lock.json`,
		// It asks for a password unless the test has created a file that permits the command.
		"sudo": `if [ "$1" = -n ]; then [ -e "$0.free" ] || exit 1; shift; fi; exec "$@"`,
		"true": "",
		// It knows the packages that a file names.
		"dpkg-query": `for name; do :; done; if [ -e "${0%/*}/has.$name" ]; then echo installed; else exit 1; fi`,
	}
	for _, name := range without {
		delete(stubs, name)
	}
	for name, text := range stubs {
		m.write(t, name, "#!/bin/sh\n"+text+"\n")
	}
	return m
}

// copy copies a file to the machine's project.
func (m machine) copy(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to = filepath.Join(m.project, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	syscall.ForkLock.RLock() // as in write
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(to, data, 0o700); err != nil {
		t.Fatal(err)
	}
}

// write makes a command. Nothing is forked meanwhile: until it is executed, a child would have the file
// open for writing too, and the kernel executes no such file (ETXTBSY).
func (m machine) write(t *testing.T, name, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(filepath.Join(m.bin, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// setup is the script on the machine.
func (m machine) setup(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "internal/testworld/setup.sh", args...)
	cmd.Dir = m.project
	cmd.Env = []string{"PATH=" + m.bin, "SSL_CERT_FILE=" + os.DevNull, "CLIENTS=no"}
	return cmd
}

// log is how a command was called.
func (m machine) log(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.bin, name+".log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

const calls = `noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 update
noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install -y --no-install-recommends gcc libc6-dev
`

// TestSetupElsewhere runs the script without a terminal, so that it cannot ask a question.
func TestSetupElsewhere(t *testing.T) {
	t.Parallel()
	const root, person = "0", "1000"
	for name, test := range map[string]struct {
		machine machine
		free    bool // sudo needs no password
		args    []string
		status  int
		stderr  string
		calls   string
	}{
		"root":                    {machine: newMachine(t, root, "sudo"), stderr: "installing gcc libc6-dev\n", calls: calls},
		"sudo without a password": {machine: newMachine(t, person), free: true, stderr: "installing gcc libc6-dev\n", calls: calls},
		"sudo with a password":    {machine: newMachine(t, person), status: 1, stderr: "gcc libc6-dev: missing, and installing needs root, or sudo without a password. To install"},
		"no sudo":                 {machine: newMachine(t, person, "sudo"), status: 1, stderr: "Alpine           apk add gcc"},
		"no apt-get":              {machine: newMachine(t, root, "apt-get"), status: 1, stderr: "gcc libc6-dev: missing, and apt-get is not here"},
		"a command more":          {machine: newMachine(t, person), args: []string{"git", "env"}, status: 1, stderr: "apt-get install --no-install-recommends gcc libc6-dev git\n"},
		"no Go":                   {machine: newMachine(t, root, "go"), status: 1, stderr: "Go is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.free {
				test.machine.write(t, "sudo.free", "")
			}
			cmd := test.machine.setup(t, test.args...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.Output()
			if status := cmd.ProcessState.ExitCode(); status != test.status || len(stdout) > 0 || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("%v, stdout %q, stderr:\n%s", err, stdout, &stderr)
			}
			if got := test.machine.log(t, "apt-get"); got != test.calls {
				t.Errorf("called\n%s", got)
			}
			if test.status == 0 { // what is there now is not installed again
				if out, err := test.machine.setup(t).CombinedOutput(); err != nil || len(out) > 0 || test.machine.log(t, "apt-get") != test.calls {
					t.Errorf("again: %v\n%s", err, out)
				}
			}
		})
	}
}

// TestSetupClients: the clients are installed with the rest, and the tests go on without them, except in CI.
func TestSetupClients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		compiler bool // is there
		free     bool // sudo needs no password
		env      string
		status   int
		stderr   string
		calls    []string // parts of how apt-get was called
		modules  bool     // npm was called
	}{
		"with the rest":            {free: true, stderr: "installing gcc libc6-dev python3-", calls: []string{" gcc libc6-dev python3-psycopg2 python3-psycopg "}, modules: true},
		"alone":                    {compiler: true, free: true, stderr: "installing python3-psycopg2 ", calls: []string{"--no-install-recommends python3-psycopg2 ", " odbc-postgresql ", " chromium default-jdk-headless npm\n"}, modules: true},
		"not possible":             {compiler: true, stderr: "and installing needs root, or sudo without a password. The tests skip these clients."},
		"not possible in CI":       {compiler: true, env: "CI=1", status: 1, stderr: "apt-get install --no-install-recommends python3-psycopg2 "},
		"the rest is not possible": {status: 1, stderr: "gcc libc6-dev python3-psycopg2 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "1000")
			if test.free {
				m.write(t, "sudo.free", "")
			}
			if test.compiler {
				m.write(t, "stubcc", "#!/bin/sh\n")
			}
			setup := func() (string, int) {
				cmd := m.setup(t)
				cmd.Env = append(cmd.Env, "CLIENTS=", test.env)
				out, _ := cmd.CombinedOutput() // the status says it
				return string(out), cmd.ProcessState.ExitCode()
			}
			out, status := setup()
			if status != test.status || !strings.Contains(out, test.stderr) {
				t.Errorf("status %d\n%s", status, out)
			}
			called := m.log(t, "apt-get")
			for _, want := range test.calls {
				if !strings.Contains(called, want) {
					t.Errorf("no %q in\n%s", want, called)
				}
			}
			const npm = "npm ci --ignore-scripts --no-audit --no-fund --loglevel=error\n"
			if got := m.log(t, "npm"); (got == npm) != test.modules || !test.modules && got != "" {
				t.Errorf("npm was called: %q", got)
			}
			if len(test.calls) == 0 {
				if called != "" {
					t.Errorf("called\n%s", called)
				}
				return
			}
			if out, status := setup(); status != 0 || out != "" || m.log(t, "apt-get") != called || m.log(t, "npm") != npm {
				t.Errorf("again: status %d\n%s", status, out)
			}
			m.copy(t, "../clients/testdata/node/package-lock.json", "internal/clients/testdata/node/package-lock.json")
			if out, status := setup(); status != 0 || out != "installing modules of Node.js\n" || m.log(t, "npm") != npm+npm {
				t.Errorf("with another list of modules: status %d\n%s", status, out)
			}
		})
	}
}

// TestSetupAsks runs the script on a terminal.
func TestSetupAsks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer, shown, calls string
		status               int
	}{
		"yes": {answer: "\n", shown: "installing gcc libc6-dev", calls: calls},
		"no":  {answer: "n\n", shown: "gcc libc6-dev: missing. To install", status: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "1000")
			cmd := m.setup(t)
			terminal, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = terminal.Close() }() // nothing is lost with it
			if err := terminal.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := terminal.WriteString(test.answer); err != nil {
				t.Fatal(err)
			}
			var shown bytes.Buffer
			_, _ = shown.ReadFrom(terminal) // the end of a terminal is an error
			_ = cmd.Wait()                  // the status says it
			text := shown.String()
			if !strings.Contains(text, "The tests need gcc libc6-dev. Install with apt-get? [Y/n]") || !strings.Contains(text, test.shown) || cmd.ProcessState.ExitCode() != test.status {
				t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), text)
			}
			if got := m.log(t, "apt-get"); got != test.calls {
				t.Errorf("called\n%s", got)
			}
		})
	}
}
