package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// setOutput directs rows to a file, or back to the terminal. The name of a format changes the format, as
// long as the shell has had it.
func (s *session) setOutput(ctx context.Context, name, args string) error {
	if args != "" && !strings.ContainsAny(args, `./\`) { // a name like this is more often a format than a file
		return provider.Change(s.setFormat(ctx, name, args), func(e *provider.Error) {
			e.Hint += "; a file has a path, such as ./" + provider.Printable(args)
		})
	}
	if err := s.closeFile(); err != nil {
		return err
	}
	if args == "" {
		s.say("rows go to the terminal, as %s\n", s.opts.Render.Format)
		return nil
	}
	file, err := os.OpenFile(unquoted(args), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o666) //nolint:gosec // the user's umask decides
	if err != nil {
		return render.FileError(err)
	}
	s.file = file
	return nil
}

var copyForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)^\((.*)\)\s+to\s+('[^']*'|"[^"]*"|\S+)(?:\s+(?:with\s+)?\(?(?:format\s+)?(\w+)(?:\s*,?\s*header)?\)?)?$`)
})

// copyTo writes the rows of a query to a file, which appears when it is complete.
func (s *session) copyTo(ctx context.Context, _, args string) error {
	parts := copyForm().FindStringSubmatch(args)
	if parts == nil {
		return provider.Usagef(`\copy needs a query and a file`).Hintf(`write \copy (SELECT …) TO rows.csv`)
	}
	path, name := unquoted(parts[2]), parts[3]
	if name == "" || strings.EqualFold(name, "header") {
		name = strings.TrimPrefix(filepath.Ext(path), ".")
		switch strings.ToLower(name) {
		case "", "txt":
			name = string(render.CSV)
		case "md":
			name = string(render.Markdown)
		}
	}
	format, err := render.ParseFormat(name)
	if err != nil {
		return err
	}
	opts := render.Options{Format: format, Header: true}
	var n int64
	err = render.ToFile(path, func(w io.Writer) (err error) {
		n, err = s.runTo(ctx, s.variables.interpolate(parts[1])+";", w, opts)
		return err
	})
	if err != nil {
		return err
	}
	s.say("%d rows to %s\n", n, provider.Printable(path))
	return nil
}

// runTo writes the rows of one statement.
func (s *session) runTo(parent context.Context, text string, w io.Writer, opts render.Options) (n int64, err error) {
	ctx, stop := interruptible(parent)
	defer stop()
	end := s.opts.Begin()
	defer end()
	results := 0
	for rows, err := range s.opts.Runner.Run(ctx, text) {
		if err != nil {
			return n, canceled(ctx, err)
		}
		if results++; results > 1 {
			_ = rows.Close() // nothing of it is used
			return n, provider.Usagef(`\copy takes one query`)
		}
		written, err := render.Write(ctx, w, rows, opts)
		n += written
		if err := errors.Join(err, rows.Close()); err != nil {
			return n, canceled(ctx, err)
		}
	}
	return n, nil
}

// system runs a command of the system, or a shell.
func (s *session) system(ctx context.Context, _, args string) error {
	program := exec.CommandContext(ctx, "sh", "-c", args) //nolint:gosec // the user's own command
	if args == "" {
		program = exec.CommandContext(ctx, shellOf()) //nolint:gosec // the user's own shell
	}
	return s.outside(program)
}

func shellOf() string {
	if shell := os.Getenv("SHELL"); shell != "" {
		return shell
	}
	return "sh"
}

// outside runs a program at the terminal, which is in its own state between two texts.
func (s *session) outside(program *exec.Cmd) error {
	program.Stdin, program.Stdout, program.Stderr = s.opts.In, s.opts.Out, s.opts.Err
	if s.editor != nil {
		program.Stdin, program.Stdout, program.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	err := program.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		s.say("exit status %d\n", exit.ExitCode())
		return nil
	}
	if err != nil {
		return provider.Usagef("run the command: %v", err).Because(err)
	}
	return nil
}

// edit opens the last statement in an editor, and runs the text that the editor leaves.
func (s *session) edit(ctx context.Context, _, _ string) error {
	dir, err := os.MkdirTemp("", "lakeql-*") // readable by the user alone
	if err != nil {
		return provider.Usagef("edit the statement: %v", err).Because(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "statement.sql")
	if err := os.WriteFile(path, []byte(s.last+"\n"), ownerOnly); err != nil {
		return provider.Usagef("edit the statement: %v", err).Because(err)
	}
	program := "vi"
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if value := os.Getenv(name); value != "" {
			program = value
			break
		}
	}
	if err := s.outside(exec.CommandContext(ctx, "sh", "-c", program+` "$0"`, path)); err != nil { //nolint:gosec // the user's own editor
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return provider.Usagef("edit the statement: %v", err).Because(err)
	}
	edited := strings.TrimSpace(string(text))
	if edited == "" || edited == strings.TrimSpace(s.last) {
		s.say("nothing has changed\n")
		return nil
	}
	s.say("%s\n", printable(edited))
	done, rest := split(s.opts.Runner, edited)
	if rest != "" {
		done = append(done, entry{statements: rest})
	}
	s.keep(done)
	return s.handleAll(ctx, done)
}
