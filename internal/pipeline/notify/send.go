package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Sender brings messages to targets. Its zero value is ready, and sends to webhooks only.
type Sender struct {
	// HTTP sends requests; nil: a client of net/http's. It never follows a redirect: the URL is a secret, and
	// the answer may name any host.
	HTTP *http.Client
	// Folder is where relative files are, and where commands run; empty: the current folder.
	Folder string
	// Kinds are the kinds of targets that it may send to; none: webhooks. The store has the targets, so whoever
	// can write to it could otherwise run commands where its workers run.
	Kinds []string
	// Attempts is the number of tries of one delivery, Pause the time before the second one, which doubles, and
	// Patience the time for each. 0: 3, a second, 10 seconds.
	Attempts int
	Pause    time.Duration
	Patience time.Duration
	// UserAgent names the program.
	UserAgent string
}

// longestPause bounds how long a server may ask to wait.
const longestPause = 30 * time.Second

// Allows reports whether the sender may send to a target.
func (s *Sender) Allows(t *Target) bool {
	if len(s.Kinds) == 0 {
		return t.Kind() == Webhook
	}
	return slices.Contains(s.Kinds, t.Kind())
}

// Send delivers a message, and tries again after errors that may pass. No error shows a URL, a header, or a
// variable of the environment.
func (s *Sender) Send(ctx context.Context, t *Target, m *Message) error {
	if !s.Allows(t) {
		return provider.Usagef("this worker sends no notifications by %s", t.Kind()).
			Hintf("start it with --notify %s, if you trust everybody who can write to the store", strings.Join(append(s.Kinds, t.Kind()), ","))
	}
	if err := t.Valid(); err != nil {
		return err
	}
	attempts, pause := cmp.Or(s.Attempts, 3), cmp.Or(s.Pause, time.Second)
	for attempt := 1; ; attempt++ {
		limited, stop := context.WithTimeout(ctx, cmp.Or(s.Patience, 10*time.Second))
		again, err := s.once(limited, t, m)
		stop()
		if err == nil || again < 0 || attempt == attempts || ctx.Err() != nil {
			return err
		}
		wait := max(pause/2+rand.N(pause), min(again, longestPause)) //nolint:gosec // no secret depends on it
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		pause *= 2
	}
}

// never is how long to wait after an error that stays.
const never = -1

// once tries to deliver a message. again is how long to wait before the next try, or never.
func (s *Sender) once(ctx context.Context, t *Target, m *Message) (again time.Duration, err error) {
	switch t.Kind() {
	case Webhook:
		return s.post(ctx, t, m)
	case File:
		return never, s.append(t, m)
	default:
		err := s.run(ctx, t, m)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return never, err
		}
		return 0, err
	}
}

// post sends a message to a webhook.
func (s *Sender) post(ctx context.Context, t *Target, m *Message) (time.Duration, error) {
	address, err := fill(t.Webhook)
	if err != nil {
		return never, err
	}
	u, err := parseURL(address)
	if err != nil {
		return never, err
	}
	body, err := m.body(t.Format)
	if err != nil {
		return never, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return never, provider.Usagef("webhook: it is no URL of the form https://host/path")
	}
	r.Header.Set("Content-Type", "application/json")
	if s.UserAgent != "" {
		r.Header.Set("User-Agent", s.UserAgent)
	}
	for name, value := range t.Headers {
		filled, err := fill(value)
		if err != nil {
			return never, err
		}
		r.Header.Set(name, filled)
	}
	client := http.Client{}
	if s.HTTP != nil {
		client = *s.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok { // it has the URL
			err = e.Err
		}
		return 0, provider.Errorf(provider.Network, "%s does not answer: %s", u.Hostname(), s.masked(t, u, err.Error()))
	}
	defer func() { _ = answer.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 1024)) // only told
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return 0, nil
	}
	failed := provider.Errorf(provider.API, "%s answers with HTTP %d: %s", u.Hostname(), answer.StatusCode, s.masked(t, u, short(strings.TrimSpace(string(said)), 200)))
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 {
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // 0 if there is none
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second, failed
	}
	return never, failed
}

// masked is a text of a server or of net/http without the parts of the URL and of the headers that are secret.
func (s *Sender) masked(t *Target, u *url.URL, text string) string {
	secrets := []string{u.String(), u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery}
	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password, u.User.Username())
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		if len(part) >= 8 {
			secrets = append(secrets, part)
		}
	}
	for _, value := range t.Headers {
		if filled, err := fill(value); err == nil {
			secrets = append(secrets, filled, strings.TrimPrefix(filled, "Bearer "))
		}
	}
	for _, name := range append(variables(t.Webhook), variables(strings.Join(values(t.Headers), " "))...) {
		secrets = append(secrets, os.Getenv(name))
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		if len(secret) > 2 {
			text = strings.ReplaceAll(text, secret, "****")
		}
	}
	return provider.Printable(oneLine(text))
}

// append adds a message to a file.
func (s *Sender) append(t *Target, m *Message) error {
	path := t.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Folder, path)
	}
	body, err := m.body(generic)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return provider.Usagef("write the notification: %v", err).Because(err)
	}
	_, err = f.Write(append(body, '\n')) // in one piece, as others may append
	if err := errors.Join(err, f.Close()); err != nil {
		return provider.Usagef("write the notification: %v", err).Because(err)
	}
	return nil
}

// run runs a command with the message as its standard input.
func (s *Sender) run(ctx context.Context, t *Target, m *Message) error {
	body, err := m.body(generic)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, t.Command[0], t.Command[1:]...) //nolint:gosec // the command of the person's own pipeline, or of a store that the worker was told to trust
	cmd.Dir, cmd.Stdin, cmd.WaitDelay = s.Folder, bytes.NewReader(append(body, '\n')), time.Second
	var said limited
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		text := err.Error()
		if ctx.Err() != nil {
			text = "it did not end in time"
		}
		if out := strings.TrimSpace(said.b.String()); out != "" {
			text += ": " + short(out, 200)
		}
		return provider.Errorf(provider.API, "the command %s failed: %s", provider.Printable(filepath.Base(t.Command[0])), provider.Printable(oneLine(text))).Because(err)
	}
	return nil
}

// limited keeps the beginning of what is written to it.
type limited struct{ b bytes.Buffer }

// Write implements [io.Writer].
func (l *limited) Write(p []byte) (int, error) {
	if room := 1024 - l.b.Len(); room > 0 {
		l.b.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// body is the message in a form.
func (m *Message) body(format string) ([]byte, error) {
	switch format {
	case slack:
		return m.slack()
	case teams:
		return m.teams()
	case "", generic:
		return json.Marshal(m)
	}
	return nil, fmt.Errorf("there is no format %q", format)
}
