package pgwire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"
)

// start takes a connection from its first message to the point where the client may send statements. It
// reports whether it got there.
func (s *session) start(ctx context.Context) bool {
	_ = s.conn.SetDeadline(time.Now().Add(loginTimeout)) // a connection that takes no deadline ends by itself
	s.over(s.conn)
	startup, err := s.readStartup(ctx)
	if startup == nil || err != nil {
		return false // the client left, canceled, or speaks something else
	}
	if err := s.login(startup); err != nil {
		s.refuse(err)
		return false
	}
	s.backend.Send(&pgproto3.AuthenticationOk{})
	if err := s.server.admit(s); err != nil {
		s.refuse(err)
		return false
	}
	for _, name := range reported() {
		s.backend.Send(&pgproto3.ParameterStatus{Name: name, Value: s.settings[settingKey(name)]})
	}
	s.backend.Send(&pgproto3.BackendKeyData{ProcessID: s.id, SecretKey: s.key})
	for _, text := range s.warnings {
		s.notice(stateWarning, text)
	}
	s.ready()
	s.ongoing = true
	_ = s.conn.SetDeadline(time.Time{})
	if s.backend.Flush() != nil {
		s.server.forget(s)
		return false
	}
	return true
}

// refuse tells a client why it is not let in.
func (s *session) refuse(err error) {
	told := response(err, "")
	told.Severity, told.SeverityUnlocalized = "FATAL", "FATAL"
	s.backend.Send(told)
	_ = s.backend.Flush() // the client may be gone
}

// over reads and writes messages over a connection.
func (s *session) over(conn net.Conn) {
	s.conn = conn
	s.reader = bufio.NewReader(conn)
	s.backend = pgproto3.NewBackend(s.reader, conn)
	s.backend.SetMaxBodyLen(longestMessage)
}

// readStartup answers what comes before the login. It returns nil if there is none.
func (s *session) readStartup(ctx context.Context) (*pgproto3.StartupMessage, error) {
	encrypted := false
	for range 3 { // an encryption of either kind, then the login
		message, err := s.backend.ReceiveStartupMessage()
		if err != nil {
			return nil, err
		}
		switch message := message.(type) {
		case *pgproto3.SSLRequest:
			if encrypted {
				return nil, errors.New("TLS inside TLS")
			}
			if s.server.options.TLS == nil {
				if _, err := s.conn.Write([]byte{'N'}); err != nil {
					return nil, err
				}
				continue
			}
			if s.reader.Buffered() > 0 { // what a stranger put before the encryption
				return nil, errors.New("text before TLS")
			}
			if _, err := s.conn.Write([]byte{'S'}); err != nil {
				return nil, err
			}
			secure := tls.Server(s.conn, s.server.options.TLS)
			if err := secure.HandshakeContext(ctx); err != nil {
				return nil, err
			}
			s.over(secure)
			encrypted = true
		case *pgproto3.GSSEncRequest:
			if _, err := s.conn.Write([]byte{'N'}); err != nil {
				return nil, err
			}
		case *pgproto3.CancelRequest:
			s.server.cancel(message)
			return nil, nil
		case *pgproto3.StartupMessage:
			if s.server.options.TLS != nil && !encrypted {
				s.refuse(&fault{state: "28000", message: "this server takes encrypted connections only", hint: "connect with sslmode=require, or sslmode=verify-full and the server's certificate"})
				return nil, nil
			}
			return message, nil
		}
	}
	return nil, errors.New("no login")
}

// login checks who connects, and makes the session.
func (s *session) login(startup *pgproto3.StartupMessage) error {
	s.user = startup.Parameters["user"]
	s.database = startup.Parameters["database"]
	if s.database == "" {
		s.database = s.user
	}
	if s.server.isDraining() {
		return &fault{state: "57P03", message: "the server ends"}
	}
	if password := s.server.options.Password; password != nil {
		if err := s.authenticate(password); err != nil {
			return err
		}
	}
	return s.begin(startup.Parameters)
}

// mechanism is the one that clients log in with.
const mechanism = "SCRAM-SHA-256"

// Password is what clients log in with. The text itself is not kept.
type Password struct {
	stored scram.StoredCredentials
}

// iterations is how often a password is hashed, as PostgreSQL does.
const iterations = 4096

// NewPassword prepares a password. salt is 16 random bytes.
func NewPassword(text string, salt []byte) (*Password, error) {
	client, err := scram.SHA256.NewClient("", text, "")
	if err != nil {
		if client, err = scram.SHA256.NewClientUnprepped("", text, ""); err != nil { // as PostgreSQL does with text that is not to be prepared
			return nil, err
		}
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return nil, err
	}
	return &Password{stored}, nil
}

// authenticate asks for the password.
func (s *session) authenticate(password *Password) error {
	wrong := &fault{state: "28P01", message: fmt.Sprintf("password authentication failed for user %q", s.user)}
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return password.stored, nil })
	if err != nil {
		return err
	}
	talk := server.NewConversation()
	s.backend.Send(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{mechanism}})
	if err := s.receiveAs(pgproto3.AuthTypeSASL); err != nil {
		return err
	}
	message, err := s.backend.Receive()
	if err != nil {
		return err
	}
	first, ok := message.(*pgproto3.SASLInitialResponse)
	if !ok || first.AuthMechanism != mechanism {
		return wrong
	}
	answer, err := talk.Step(string(first.Data))
	if err != nil {
		return wrong
	}
	s.backend.Send(&pgproto3.AuthenticationSASLContinue{Data: []byte(answer)})
	if err := s.receiveAs(pgproto3.AuthTypeSASLContinue); err != nil {
		return err
	}
	if message, err = s.backend.Receive(); err != nil {
		return err
	}
	second, ok := message.(*pgproto3.SASLResponse)
	if !ok {
		return wrong
	}
	answer, err = talk.Step(string(second.Data))
	if err != nil || !talk.Valid() {
		return wrong
	}
	s.backend.Send(&pgproto3.AuthenticationSASLFinal{Data: []byte(answer)})
	return nil
}

func (s *session) receiveAs(kind uint32) error {
	if err := s.backend.Flush(); err != nil {
		return err
	}
	return s.backend.SetAuthType(kind)
}
