package openapi

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/provider"
)

//go:generate go -C .. run ./internal/openapigen generate
//go:generate go -C .. run ./internal/openapigen compile

// The catalogue of lakeql's own providers, compiled from the documents beside this file by
// "go generate ./openapi".
//
//go:embed catalogue.zip
var embedded []byte

// Compiled is a catalogue in its compiled form: a zip archive of JSON texts. Each part is a separate
// text, so that a statement reads only the parts that it uses:
//
//	<provider>.json                       the provider and its list of services
//	<provider>/<service>.json             the service and its list of resources
//	<provider>/<service>/<resource>.json  a resource with its methods
//	<provider>/<service>.schemas          shared schemas, a line each: name, tab, JSON
//	<provider>.former                     former names of the provider's methods
//
// It is a [provider.Loader]. It looks up a part in the archive's directory when a statement needs the
// part: archive/zip would read all 450 entries first, which costs each statement 0.3 ms.
type Compiled struct {
	data      []byte
	directory []byte // of the archive: an entry for each part
	inflaters sync.Pool

	mu      sync.Mutex
	schemas map[string][]byte // entries of schemas that were read
}

// Embedded opens the catalogue that is part of the program.
func Embedded() (*Compiled, error) { return OpenCompiled(embedded) }

// OpenCompiled opens a catalogue that [Compile] wrote.
func OpenCompiled(data []byte) (*Compiled, error) {
	const end = 22 // bytes of the record that the archive ends with, which has no comment here
	if len(data) < end || string(data[len(data)-end:][:4]) != "PK\x05\x06" {
		return nil, errors.New("open the compiled catalogue: it does not end as a zip archive does")
	}
	record := data[len(data)-end:]
	size, offset := uint64(binary.LittleEndian.Uint32(record[12:])), uint64(binary.LittleEndian.Uint32(record[16:]))
	if offset+size > uint64(len(data)) {
		return nil, errors.New("open the compiled catalogue: it is cut off")
	}
	return &Compiled{data: data, directory: data[offset : offset+size], schemas: map[string][]byte{}}, nil
}

// packed is a part in the archive.
type packed struct {
	name         []byte
	length, size int
	header       int // where its own header is
}

// entries iterates over the entries of the central directory (APPNOTE.TXT 4.3.12).
func (c *Compiled) entries(yield func(packed) bool) {
	const fixed = 46 // bytes before the name
	for d := c.directory; len(d) >= fixed; {
		name := int(binary.LittleEndian.Uint16(d[28:]))
		behind := fixed + name + int(binary.LittleEndian.Uint16(d[30:])) + int(binary.LittleEndian.Uint16(d[32:]))
		if behind > len(d) {
			return
		}
		e := packed{
			name:   d[fixed : fixed+name],
			length: int(binary.LittleEndian.Uint32(d[20:])), size: int(binary.LittleEndian.Uint32(d[24:])), header: int(binary.LittleEndian.Uint32(d[42:])),
		}
		if !yield(e) {
			return
		}
		d = d[behind:]
	}
}

func (c *Compiled) read(name string) ([]byte, error) {
	for e := range c.entries {
		if string(e.name) != name {
			continue
		}
		data, err := c.unpack(e)
		if err != nil {
			return nil, fmt.Errorf("read %s of the compiled catalogue: %w", name, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("the compiled catalogue has no %s", name)
}

func (c *Compiled) unpack(e packed) ([]byte, error) {
	const fixed = 30 // bytes of its header before the name
	if e.header+fixed > len(c.data) {
		return nil, io.ErrUnexpectedEOF
	}
	header := c.data[e.header:]
	begin := e.header + fixed + int(binary.LittleEndian.Uint16(header[26:])) + int(binary.LittleEndian.Uint16(header[28:]))
	if begin+e.length > len(c.data) {
		return nil, io.ErrUnexpectedEOF
	}
	const most = 1032 // times as long as before is what deflate can make of a text, and no more
	if e.size > most*(e.length+1) {
		return nil, fmt.Errorf("%d bytes cannot come out of %d", e.size, e.length)
	}
	source := bytes.NewReader(c.data[begin : begin+e.length])
	inflater, ok := c.inflaters.Get().(io.Reader)
	if !ok {
		inflater = flate.NewReader(source)
	} else if err := inflater.(flate.Resetter).Reset(source, nil); err != nil { // it is flate's own
		return nil, err
	}
	defer c.inflaters.Put(inflater)
	data := make([]byte, e.size)
	_, err := io.ReadFull(inflater, data)
	return data, err
}

func readPart[T any](c *Compiled, name string) (*T, error) {
	data, err := c.read(name)
	if err != nil {
		return nil, err
	}
	part := new(T)
	if err := json.Unmarshal(data, part); err != nil {
		return nil, fmt.Errorf("decode %s of the compiled catalogue: %w", name, err)
	}
	return part, nil
}

// Providers returns every provider, sorted by name.
func (c *Compiled) Providers() ([]*provider.Provider, error) {
	var all []*provider.Provider
	for e := range c.entries {
		if bytes.IndexByte(e.name, '/') >= 0 || bytes.HasSuffix(e.name, []byte(formerPart)) {
			continue
		}
		p, err := readPart[provider.Provider](c, string(e.name))
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *provider.Provider) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// formerPart ends the name of the part with a provider's former names. Only a name that is not one of
// today needs it.
const formerPart = ".former"

// FormerNames returns the former names of a provider's methods.
func (c *Compiled) FormerNames(providerName string) ([]provider.FormerName, error) {
	all, err := readPart[[]provider.FormerName](c, providerName+formerPart)
	if err != nil {
		return nil, err
	}
	return *all, nil
}

// Service returns a service's header.
func (c *Compiled) Service(providerName, service string) (*provider.Service, error) {
	return readPart[provider.Service](c, servicePath(providerName, service)+".json")
}

// Resource returns a resource with its methods.
func (c *Compiled) Resource(providerName, service, resource string) (*provider.Resource, error) {
	return readPart[provider.Resource](c, servicePath(providerName, service)+"/"+resource+".json")
}

// Schema returns a shared schema.
func (c *Compiled) Schema(providerName, service, name string) (*provider.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	part := servicePath(providerName, service) + ".schemas"
	lines, ok := c.schemas[part]
	if !ok {
		var err error
		if lines, err = c.read(part); err != nil {
			return nil, err
		}
		c.schemas[part] = lines
	}
	mark := []byte("\n" + name + "\t")
	start := bytes.Index(lines, mark)
	if start < 0 {
		return nil, fmt.Errorf("%s has no schema %s", part, name)
	}
	line, _, _ := bytes.Cut(lines[start+len(mark):], []byte{'\n'})
	s := &provider.Schema{}
	if err := json.Unmarshal(line, s); err != nil {
		return nil, fmt.Errorf("decode schema %s of %s: %w", name, part, err)
	}
	return s, nil
}

func servicePath(providerName, service string) string { return providerName + "/" + service }

// Compile writes the compiled form of documents: the same bytes for the same documents and the
// same version of Go.
func Compile(docs *Documents, w io.Writer) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	c := &compiler{docs: docs, archive: archive}
	providers, err := docs.Providers()
	if err != nil {
		return err
	}
	for _, p := range providers {
		if err := c.provider(p); err != nil {
			return err
		}
	}
	return archive.Close()
}

type compiler struct {
	docs    *Documents
	archive *zip.Writer
}

func (c *compiler) provider(p *provider.Provider) error {
	if err := c.json(p.Name+".json", p); err != nil {
		return err
	}
	former, err := c.docs.FormerNames(p.Name)
	if err != nil {
		return err
	}
	if err := c.json(p.Name+formerPart, former); err != nil {
		return err
	}
	for _, info := range p.Services {
		service, err := c.docs.Service(p.Name, info.Name)
		if err != nil {
			return err
		}
		path := servicePath(p.Name, info.Name)
		if err := c.json(path+".json", service); err != nil {
			return err
		}
		for _, r := range service.Resources {
			resource, err := c.docs.Resource(p.Name, info.Name, r.Name)
			if err != nil {
				return err
			}
			if err := c.json(path+"/"+r.Name+".json", resource); err != nil {
				return err
			}
		}
		if err := c.schemas(p.Name, info.Name); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) schemas(providerName, service string) error {
	names, err := c.docs.SchemaNames(providerName, service)
	if err != nil {
		return err
	}
	lines := bytes.NewBufferString("\n")
	for _, name := range names {
		if strings.ContainsAny(name, "\t\n") {
			return fmt.Errorf("schema name %q of %s.%s holds a tab or line end", name, providerName, service)
		}
		s, err := c.docs.Schema(providerName, service, name)
		if err != nil {
			return err
		}
		encoded, err := marshal(s)
		if err != nil {
			return fmt.Errorf("encode schema %s: %w", name, err)
		}
		lines.WriteString(name + "\t")
		lines.Write(encoded) // ends in a line end
	}
	return c.write(servicePath(providerName, service)+".schemas", lines.Bytes())
}

func (c *compiler) json(name string, part any) error {
	data, err := marshal(part)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return c.write(name, data)
}

// marshal writes JSON without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func (c *compiler) write(name string, data []byte) error {
	w, err := c.archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Time{}})
	if err != nil {
		return fmt.Errorf("add %s to the catalogue: %w", name, err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("add %s to the catalogue: %w", name, err)
	}
	return nil
}

// SchemaNames lists the shared schemas of a service in document order.
func (d *Documents) SchemaNames(providerName, serviceName string) ([]string, error) {
	_, doc, err := d.document(providerName, serviceName)
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	var names []string
	for _, entry := range r.schemas() {
		names = append(names, entry.key)
	}
	return names, r.err
}
