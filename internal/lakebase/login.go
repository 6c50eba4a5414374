package lakebase

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/provider"
)

// Options say how an endpoint is to be used. The zero value is usual.
type Options struct {
	Grant
	// User is the role to log in as; empty: the identity that calls the API.
	User string
	// Database is the database to connect to; empty: [Database].
	Database string
	// Pooled selects the host that pools connections.
	Pooled bool
	// Port is the port of the endpoint's server; 0: [Port].
	Port uint16
}

// Login holds all that a client of PostgreSQL needs.
type Login struct {
	Host     string
	Port     uint16
	User     string
	Database string
	Token
}

// Address names the server for messages: host:port, or the folder of its socket.
func (l Login) Address() string {
	if l.IsSocket() {
		return l.Host
	}
	return net.JoinHostPort(l.Host, strconv.Itoa(int(l.Port)))
}

// IsSocket reports whether the host is the folder of a Unix-domain socket.
func (l Login) IsSocket() bool { return strings.HasPrefix(l.Host, "/") }

// IsLocal reports whether the server is on this machine, as that of an emulator is. Connections to others must
// be encrypted.
func (l Login) IsLocal() bool {
	ip := net.ParseIP(l.Host)
	return l.IsSocket() || l.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// Endpoint is an endpoint that was found, with the passwords that open it. Several goroutines may use it.
type Endpoint struct {
	client  *Client
	name    Name
	options Options
	user    string

	turn chan struct{} // full while a goroutine uses the fields below
	info Info
	last Token
	// minted is when last was, and failed when the minting of another one ended with failure.
	minted, failed time.Time
	failure        error
}

// Open finds an endpoint and mints its first password. It is an error if the endpoint is disabled.
func (c *Client) Open(ctx context.Context, name string, o Options) (*Endpoint, error) {
	n, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{client: c, options: o, user: o.User, turn: make(chan struct{}, 1)}
	calls, callsCtx := errgroup.WithContext(ctx)
	if e.user == "" {
		calls.Go(func() (err error) { e.user, err = c.User(callsCtx); return err })
	}
	calls.Go(func() error {
		var known *Info
		if !n.IsWhole() {
			info, err := c.Find(callsCtx, n)
			if err != nil {
				return err
			}
			known = &info
			if n, err = ParseName(info.Name); err != nil {
				return provider.Errorf(provider.API, "the endpoint has a name that cannot be read: %s", provider.Quote(info.Name))
			}
			if err := info.refused(o.Pooled); err != nil {
				return err
			}
		}
		e.name = n
		return e.renew(callsCtx, known)
	})
	return e, calls.Wait()
}

// Name returns the whole name of the endpoint.
func (e *Endpoint) Name() Name { return e.name }

// Database returns the database that logins lead to unless another one is asked for.
func (e *Endpoint) Database() string {
	if e.options.Database != "" {
		return e.options.Database
	}
	return Database
}

// Host returns the host and the port of the endpoint as of the last password.
func (e *Endpoint) Host(ctx context.Context) (host string, port uint16, err error) {
	if err := e.enter(ctx); err != nil {
		return "", 0, err
	}
	defer e.leave()
	l := e.login()
	return l.Host, l.Port, nil
}

const (
	// longestMargin is how long before its end a password is not used for new connections any more. A
	// password with a short life is used for three quarters of it.
	longestMargin = 5 * time.Minute
	// Pause is how long each password is used at least. The server may refuse it, and the clock of this machine
	// may be wrong: another password would be no better.
	Pause = time.Second
)

// isFresh reports whether the last password opens new connections for a while.
func (e *Endpoint) isFresh(now time.Time) bool {
	margin := min(longestMargin, e.last.Expires.Sub(e.minted)/4)
	return e.last.Password != "" && (now.Sub(e.minted) < Pause || now.Before(e.last.Expires.Add(-margin)))
}

// Login returns a password that opens new connections. Concurrent callers share one call of the API. If
// no other password can be minted, Login returns the last one as long as it opens connections.
func (e *Endpoint) Login(ctx context.Context) (Login, error) {
	since := e.client.now()
	if err := e.enter(ctx); err != nil {
		return Login{}, err
	}
	defer e.leave()
	if e.isFresh(e.client.now()) {
		return e.login(), nil
	}
	if e.failed.After(since) { // by a goroutine that this one waited for
		return Login{}, e.failure
	}
	err := e.renew(ctx, nil)
	if err == nil || ctx.Err() == nil && provider.CodeOf(err) != provider.Usage && e.client.now().Before(e.last.Expires) {
		return e.login(), nil
	}
	if ctx.Err() == nil {
		e.failed, e.failure = e.client.now(), err
	}
	return Login{}, err
}

// Refused forgets a password that the server refused, so that the next login has another one.
func (e *Endpoint) Refused(ctx context.Context, password provider.Secret) {
	if e.enter(ctx) != nil {
		return
	}
	defer e.leave()
	if e.last.Password == password && e.client.now().Sub(e.minted) >= Pause {
		e.last = Token{}
	}
}

func (e *Endpoint) enter(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return provider.Stopped(ctx, "waiting for a password of "+e.name.String())
	}
}

func (e *Endpoint) leave() { <-e.turn }

func (e *Endpoint) login() Login {
	l := Login{Host: e.info.Host, Port: Port, User: e.user, Database: e.Database(), Token: e.last}
	if e.options.Pooled {
		l.Host = e.info.PooledHost
	}
	if e.options.Port != 0 {
		l.Port = e.options.Port
	}
	return l
}

// renew mints a password. Unless the endpoint is known, it asks where that is and whether it is enabled.
func (e *Endpoint) renew(ctx context.Context, known *Info) error {
	var info Info
	var token Token
	var noInfo, noToken error
	var calls errgroup.Group
	if known != nil {
		info = *known
	} else {
		calls.Go(func() error { info, noInfo = e.client.describe(ctx, e.name); return nil })
	}
	calls.Go(func() error { token, noToken = e.client.Mint(ctx, e.name, e.options.Grant); return nil })
	_ = calls.Wait() // both errors are looked at below
	if noToken == nil && isAbsent(noInfo) {
		// The emulator makes an endpoint when it mints a token for it.
		info, noInfo = e.client.describe(ctx, e.name)
	}
	if noInfo == nil {
		if err := info.refused(e.options.Pooled); err != nil {
			return err // says more than the refusal to mint
		}
	}
	if noInfo != nil && (isAbsent(noInfo) || noToken == nil) {
		return noInfo
	}
	if noToken != nil {
		return noToken
	}
	e.info, e.last, e.minted = info, token, e.client.now()
	return nil
}

// refused reports why nobody can connect to an endpoint.
func (i Info) refused(pooled bool) error {
	name, err := ParseName(i.Name)
	switch {
	case err != nil:
		return provider.Errorf(provider.API, "the endpoint has a name that cannot be read: %s", provider.Quote(i.Name))
	case i.Disabled && name.Instance != "":
		return provider.Usagef("the instance %s is stopped, and connecting does not start it", name.Instance).Because(ErrNotOpen).
			Hintf(`start it: lakeql exec "UPDATE %s SET stopped = false WHERE name = '%s'"`, instances, name.Instance)
	case i.Disabled:
		return provider.Usagef("the endpoint %s is disabled, and connecting does not enable it", name).Because(ErrNotOpen).
			Hintf(`enable it: lakeql exec "UPDATE %s SET spec__disabled = false WHERE name = '%s'"`, endpoints, name)
	case i.Host == "":
		return provider.Errorf(provider.API, "the endpoint %s has no host yet; its state is %s", name, provider.Printable(i.State)).
			Hintf("try again in a moment")
	case pooled && i.PooledHost == "":
		return provider.Usagef("the endpoint %s has no host that pools connections", name)
	}
	return nil
}
