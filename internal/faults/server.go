package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// request is a request on a connection.
type request struct {
	method, target, path string // target is the path with its query
	host                 string // the first label of the Host header
	body                 string
}

// ending is how a connection goes on behind the bytes of an answer.
type ending int

const (
	keepOpen  ending = iota // the next request is read
	closed                  // the server closes the connection
	reset                   // the server resets the connection: nothing that is under way arrives for certain
	silent                  // nothing more comes, and the connection stays
	cancelled               // as silent; then the person presses Ctrl-C
)

// script is the server's reaction to one request.
type script struct {
	chunks []string // written one after the other
	end    ending
	early  bool // the body of the request is not read
}

// server is the server of one cell. It answers with the statement's data, and plays the fault at the request
// that the statement attacks.
type server struct {
	listener net.Listener
	surface  *surface
	fault    *fault
	healthy  bool          // no fault is played
	quiet    chan struct{} // gets a value when a connection falls silent

	mu       sync.Mutex
	attacked int       // how many requests were the target
	strays   []request // nobody should have sent these
	open     map[net.Conn]bool
	ended    bool
	running  sync.WaitGroup
}

func serve(ctx context.Context, s *surface, f *fault) (*server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	v := &server{listener: listener, surface: s, fault: f, quiet: make(chan struct{}, 100), open: map[net.Conn]bool{}}
	v.running.Go(v.accept)
	return v, nil
}

// url is where the server listens.
func (v *server) url() string { return "http://" + v.listener.Addr().String() }

// close ends every connection and waits for its goroutine.
func (v *server) close() {
	v.mu.Lock()
	v.ended = true
	_ = v.listener.Close() // its error would be that it is closed
	for conn := range v.open {
		_ = conn.Close() // as above
	}
	v.mu.Unlock()
	v.running.Wait()
}

// targeted returns how many requests were the target.
func (v *server) targeted() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.attacked
}

// astray returns a request that should not have been sent; empty if all are right.
func (v *server) astray() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.strays) == 0 {
		return ""
	}
	return v.strays[0].method + " " + v.strays[0].target
}

func (v *server) accept() {
	for {
		conn, err := v.listener.Accept()
		if err != nil {
			return // closed
		}
		v.mu.Lock()
		if v.ended {
			_ = conn.Close() // nobody waits for it
		} else {
			v.open[conn] = true
			v.running.Go(func() { v.speak(conn) })
		}
		v.mu.Unlock()
	}
}

// speak answers the requests of a connection.
func (v *server) speak(conn net.Conn) {
	defer func() {
		v.mu.Lock()
		delete(v.open, conn)
		v.mu.Unlock()
		_ = conn.Close() // nothing is lost by an error here
	}()
	r := bufio.NewReader(conn)
	for {
		req, length, err := readHead(r)
		if err != nil {
			return
		}
		play := v.next(req)
		if !play.early {
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			req.body = string(body)
			play = v.answer(req)
		}
		if !v.perform(conn, r, play) {
			return
		}
	}
}

// perform writes an answer, and reports whether the connection stays open.
func (v *server) perform(conn net.Conn, r io.Reader, play script) bool {
	for i, chunk := range play.chunks {
		if i > 0 {
			time.Sleep(time.Millisecond) // so that the parts arrive as parts
		}
		if _, err := io.WriteString(conn, chunk); err != nil {
			return false
		}
	}
	switch play.end {
	case keepOpen:
		return true
	case reset:
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // closing then resets; where it fails the connection is closed anyway
		}
	case silent, cancelled:
		v.quiet <- struct{}{}
		_, _ = io.Copy(io.Discard, r) // until the client or the cell ends it
	case closed:
	}
	return false
}

// next looks at a request before its body is read.
func (v *server) next(req request) script {
	if v.healthy || v.fault.play == nil || !v.surface.calls[v.surface.target].matches(req, false) {
		return script{}
	}
	play := v.script()
	if !play.early {
		return script{}
	}
	v.mu.Lock()
	v.attacked++
	v.mu.Unlock()
	return play
}

func (v *server) script() script {
	target := v.surface.calls[v.surface.target].answer
	body := v.fault.fill(target.text())
	if v.fault.body != nil {
		body = v.fault.fill(v.fault.body(target))
	}
	if v.fault.play != nil {
		return v.fault.play(target, body)
	}
	return script{chunks: []string{ok(body)}}
}

// answer chooses the answer to a request.
func (v *server) answer(req request) script {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range v.surface.calls {
		c := &v.surface.calls[i]
		if !c.matches(req, true) {
			continue
		}
		good := script{chunks: []string{ok(v.fault.fill(c.answer.text()))}}
		if i != v.surface.target || v.healthy {
			return good
		}
		v.attacked++
		if (v.fault.once || v.surface.once) && v.attacked > 1 {
			return good
		}
		return v.script()
	}
	if v.fault.again != "" && strings.Contains(req.target+req.body, v.fault.again) {
		return script{chunks: []string{ok(v.fault.fill(v.surface.calls[v.surface.target].answer.text()))}}
	}
	v.strays = append(v.strays, req)
	return script{chunks: []string{respond("400 Bad Request", nil, `{"error_code": "INVALID_PARAMETER_VALUE", "message": "nobody should ask for this"}`)}}
}

// longestHead limits the size of a request's head.
const longestHead = 64 << 10

var errHead = errors.New("this is no request")

// readHead reads a request up to its body, and returns the length of the body.
func readHead(r *bufio.Reader) (req request, length int, err error) {
	var lines []string
	for size := 0; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return req, 0, err
		}
		if size += len(line); size > longestHead {
			return req, 0, errHead
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return req, 0, errHead
	}
	parts := strings.Split(lines[0], " ")
	if len(parts) != 3 {
		return req, 0, errHead
	}
	req.method, req.target = parts[0], parts[1]
	req.path, _, _ = strings.Cut(req.target, "?")
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "host":
			req.host, _, _ = strings.Cut(value, ".")
		case "content-length":
			if length, err = strconv.Atoi(value); err != nil || length < 0 || length > longestHead {
				return req, 0, errHead
			}
		case "transfer-encoding":
			return req, 0, errHead // no request of the API is sent in chunks
		}
	}
	return req, length, nil
}

// ok is an answer with status 200.
func ok(body string) string { return respond("200 OK", nil, body) }

// respond writes an answer with a body of known length.
func respond(status string, headers []string, body string) string {
	if headers == nil {
		headers = []string{"Content-Type: application/json"}
	}
	return head(status, append(headers, fmt.Sprintf("Content-Length: %d", len(body)))) + body
}

// head writes a status line and headers, up to the body.
func head(status string, headers []string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + status + "\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n"
}
