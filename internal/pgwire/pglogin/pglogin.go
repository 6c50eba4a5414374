// Package pglogin is how a client of PostgreSQL begins, as a server sees it: the request for TLS, the
// first message, and the password by SCRAM-SHA-256.
//
// It reads exactly the messages of the beginning from the connection, and no byte behind them.
package pglogin

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/xdg-go/scram"
)

// The codes in the place of a protocol version (PostgreSQL's manual, "Message Formats").
const (
	cancelCode = 80877102
	tlsCode    = 80877103
	gssCode    = 80877104
)

// longestStart bounds the first message, in bytes; PostgreSQL's own bound is the same.
const longestStart = 10000

var (
	// ErrPlain means that the client did not ask for TLS, which is required.
	ErrPlain = errors.New("the client did not ask for TLS")
	// ErrPassword means that the password is wrong.
	ErrPassword = errors.New("the password is wrong")
)

// Start reads the first message of a client: a *pgproto3.StartupMessage or a *pgproto3.CancelRequest. If
// config is not nil, a StartupMessage must come over TLS, and the returned connection is that over TLS.
// With ErrPlain it returns the message too.
func Start(ctx context.Context, conn net.Conn, config *tls.Config) (net.Conn, pgproto3.FrontendMessage, error) {
	encrypted, askedTLS, askedGSS := false, false, false
	for {
		body, err := readStart(conn)
		if err != nil {
			return conn, nil, err
		}
		switch code := binary.BigEndian.Uint32(body); code {
		case tlsCode:
			if askedTLS {
				return conn, nil, errors.New("the client asks for TLS twice")
			}
			askedTLS = true
			answer := byte('N')
			if config != nil {
				answer = 'S'
			}
			if _, err := conn.Write([]byte{answer}); err != nil {
				return conn, nil, err
			}
			if config == nil {
				continue
			}
			// What a stranger put before the encryption is taken for a part of it, which fails.
			secure := tls.Server(conn, config)
			if err := secure.HandshakeContext(ctx); err != nil {
				return conn, nil, err
			}
			conn, encrypted = secure, true
		case gssCode:
			if askedGSS || encrypted {
				return conn, nil, errors.New("the client asks for GSSAPI encryption twice, or inside of TLS")
			}
			askedGSS = true
			if _, err := conn.Write([]byte{'N'}); err != nil {
				return conn, nil, err
			}
		case cancelCode:
			message := &pgproto3.CancelRequest{}
			return conn, message, message.Decode(body)
		default:
			message := &pgproto3.StartupMessage{}
			if err := message.Decode(body); err != nil {
				return conn, nil, err
			}
			if config != nil && !encrypted {
				return conn, message, ErrPlain
			}
			return conn, message, nil
		}
	}
}

// readStart reads a message without a type: its length, then its body.
func readStart(conn io.Reader) ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[:])
	if size < 8 || size > longestStart {
		return nil, fmt.Errorf("the first message claims %d bytes", size)
	}
	body := make([]byte, size-4)
	_, err := io.ReadFull(conn, body)
	return body, err
}

// mechanism is the one that clients log in with.
const mechanism = "SCRAM-SHA-256"

// Password is what clients log in with. The text itself is not kept.
type Password struct {
	stored scram.StoredCredentials
}

// iterations is how often a password is hashed, as PostgreSQL does.
const iterations = 4096

// NewPassword prepares a password.
func NewPassword(text string) (*Password, error) {
	client, err := scram.SHA256.NewClient("", text, "")
	if err != nil {
		if client, err = scram.SHA256.NewClientUnprepped("", text, ""); err != nil { // as PostgreSQL does with text that is not to be prepared
			return nil, err
		}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return nil, err
	}
	return &Password{stored}, nil
}

// longestAnswer bounds a message of the client in the exchange about its password, in bytes.
const longestAnswer = 10000

// Check asks a client for the password. It does not send the message that the login succeeded. The error
// is ErrPassword if the password is wrong.
func (p *Password) Check(conn io.ReadWriter) error {
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return p.stored, nil })
	if err != nil {
		return err
	}
	talk := server.NewConversation()
	body, err := ask(conn, &pgproto3.AuthenticationSASL{AuthMechanisms: []string{mechanism}})
	if err != nil {
		return err
	}
	var first pgproto3.SASLInitialResponse
	if err := first.Decode(body); err != nil || first.AuthMechanism != mechanism {
		return ErrPassword
	}
	answer, err := talk.Step(string(first.Data))
	if err != nil {
		return ErrPassword
	}
	if body, err = ask(conn, &pgproto3.AuthenticationSASLContinue{Data: []byte(answer)}); err != nil {
		return err
	}
	if answer, err = talk.Step(string(body)); err != nil || !talk.Valid() {
		return ErrPassword
	}
	return Send(conn, &pgproto3.AuthenticationSASLFinal{Data: []byte(answer)})
}

// ask sends a message, and returns the body of the client's answer.
func ask(conn io.ReadWriter, question pgproto3.BackendMessage) ([]byte, error) {
	if err := Send(conn, question); err != nil {
		return nil, err
	}
	var header [5]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(header[1:])
	if header[0] != 'p' || size < 4 || size > longestAnswer {
		return nil, ErrPassword // no password, or one that nobody has
	}
	body := make([]byte, size-4)
	_, err := io.ReadFull(conn, body)
	return body, err
}

// Send writes messages to a client, at once.
func Send(conn io.Writer, messages ...pgproto3.BackendMessage) error {
	var text []byte
	var err error
	for _, m := range messages {
		if text, err = m.Encode(text); err != nil {
			return err
		}
	}
	_, err = conn.Write(text)
	return err
}
