package emulator

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Notebooks, DBFS and the files of volumes are three trees of the same make: records by their
// paths, of which folders are records too.

func treeHandlers() map[string]handler {
	const objects, dbfs, fs = "/api/2.0/workspace/", "/api/2.0/dbfs/", "/api/2.0/fs/"
	return map[string]handler{
		"GET " + objects + "list":       tree{"/workspace", objectInfo}.list("objects"),
		"GET " + objects + "get-status": tree{"/workspace", objectInfo}.status,
		"GET " + objects + "export":     exportObject,
		"POST " + objects + "import":    importObject,
		"POST " + objects + "mkdirs":    tree{"/workspace", objectInfo}.mkdirs,
		"POST " + objects + "delete":    tree{"/workspace", objectInfo}.remove,

		"GET " + dbfs + "list":       tree{"/dbfs", fileInfo}.list("files"),
		"GET " + dbfs + "get-status": tree{"/dbfs", fileInfo}.status,
		"GET " + dbfs + "read":       readDBFS,
		"POST " + dbfs + "put":       putDBFS,
		"POST " + dbfs + "create":    openDBFS,
		"POST " + dbfs + "add-block": addBlock,
		"POST " + dbfs + "close":     closeDBFS,
		"POST " + dbfs + "mkdirs":    tree{"/dbfs", fileInfo}.mkdirs,
		"POST " + dbfs + "move":      moveDBFS,
		"POST " + dbfs + "delete":    tree{"/dbfs", fileInfo}.remove,

		"GET " + fs + "directories{}":    tree{"/fs", directoryEntry}.list("contents"),
		"HEAD " + fs + "directories{}":   tree{"/fs", directoryEntry}.status,
		"PUT " + fs + "directories{}":    tree{"/fs", directoryEntry}.mkdirs,
		"DELETE " + fs + "directories{}": tree{"/fs", directoryEntry}.remove,
		"GET " + fs + "files{}":          downloadFile,
		"HEAD " + fs + "files{}":         downloadFile,
		"PUT " + fs + "files{}":          uploadFile,
		"DELETE " + fs + "files{}":       tree{"/fs", directoryEntry}.remove,
	}
}

// tree is one of the three, and how its lists word what is in it.
type tree struct {
	kind string
	show func(resource.Record) resource.Record
}

func objectInfo(r resource.Record) resource.Record {
	r = maps.Clone(r)
	delete(r, "content")
	if r["object_type"] == company.Directory || r["object_type"] == "NOTEBOOK" {
		delete(r, "size")
	}
	return r
}

func fileInfo(r resource.Record) resource.Record {
	size, _ := r["size"].(int64)
	return resource.Record{"path": r["path"], "is_dir": r["object_type"] == company.Directory, "file_size": size, "modification_time": r["modified_at"]}
}

func directoryEntry(r resource.Record) resource.Record {
	shown := resource.Record{"path": r["path"], "name": path.Base(resource.Text(r["path"])), "is_directory": r["object_type"] == company.Directory}
	if r["object_type"] != company.Directory {
		shown["file_size"], shown["last_modified"] = r["size"], r["modified_at"]
	}
	return shown
}

// pathOf is the path that a request names. A workspace's begins with /Workspace or not, DBFS' with
// dbfs: or not.
func (c *call) path(names ...string) (string, error) {
	text := ""
	for _, name := range append(names, "path", "directory_path", "file_path") {
		if text = c.value(name); text != "" {
			break
		}
	}
	text = strings.TrimPrefix(text, "dbfs:")
	if c.route.method.Path[:min(19, len(c.route.method.Path))] == "/api/2.0/workspace/" {
		if rest, ok := strings.CutPrefix(text, "/Workspace"); ok && (rest == "" || rest[0] == '/') {
			text = "/" + strings.TrimPrefix(rest, "/")
		}
	}
	if !strings.HasPrefix(text, "/") {
		return "", apierror.Invalid("Path (%s) doesn't start with '/'.", apierror.Printable(text))
	}
	return path.Clean(text), nil
}

// at finds the file or folder that a call is about.
func (c *call) at(kind string) (path string, r resource.Record, err error) {
	if path, err = c.path(); err != nil {
		return "", nil, err
	}
	r, err = c.file(kind, path)
	return path, r, err
}

func (c *call) file(kindName, at string) (resource.Record, error) {
	it, ok := c.home.collections.Get(kindName + "/" + resource.Key(at))
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Path (%s) doesn't exist.", apierror.Printable(at))
	}
	return it.Record, nil
}

func (t tree) list(key string) handler {
	return func(c *call) (any, error) {
		at, err := c.path()
		if err != nil {
			return nil, err
		}
		r, err := c.file(t.kind, at)
		if err != nil {
			return nil, err
		}
		rows := []any{}
		if r["object_type"] != company.Directory {
			rows = append(rows, t.show(r))
		} else {
			var since int64
			if text := c.query.Get("notebooks_modified_after"); text != "" {
				if since, err = strconv.ParseInt(text, 10, 64); err != nil {
					return nil, apierror.Invalid("notebooks_modified_after must be a time in milliseconds, not %q.", apierror.Printable(text))
				}
			}
			for _, it := range c.home.collections.List(t.kind, "", resource.MaxItems, false) {
				changed, _ := it.Record["modified_at"].(int64)
				if it.Record["object_type"] == "NOTEBOOK" && changed < since {
					continue
				}
				if p := resource.Text(it.Record["path"]); p != "/" && path.Dir(p) == at {
					rows = append(rows, t.show(it.Record))
				}
			}
		}
		answer := resource.Record{}
		if len(rows) > 0 {
			answer[key] = rows
		}
		m := c.route.method
		return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, answer)), nil
	}
}

func (t tree) status(c *call) (any, error) {
	_, r, err := c.at(t.kind)
	if err != nil {
		return nil, err
	}
	m := c.route.method
	if m.Response == nil || m.Response.Schema == nil {
		return &answer{status: http.StatusOK}, nil
	}
	return json.RawMessage(c.emulator.shapes.Response(m).AppendTo(nil, t.show(r))), nil
}

// place puts a record into a tree, with the folders that it is in.
func (c *call) place(kindName, at string, r resource.Record) {
	now := c.emulator.opts.Clock().UnixMilli()
	for dir := path.Dir(at); ; dir = path.Dir(dir) {
		name := kindName + "/" + resource.Key(dir)
		if _, ok := c.home.collections.Get(name); !ok {
			c.home.collections.Put(name, c.entry(dir, company.Directory, now))
		}
		if dir == "/" {
			break
		}
	}
	made := c.entry(at, "FILE", now)
	maps.Copy(made, r)
	c.home.collections.Put(kindName+"/"+resource.Key(at), made)
}

func (c *call) entry(at, kind string, now int64) resource.Record {
	id := c.home.nextNumber(900_000_000_000_001)
	return resource.Record{"path": at, "object_type": kind, "object_id": id, "resource_id": strconv.FormatInt(id, 10), "created_at": now, "modified_at": now}
}

func (t tree) mkdirs(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if r, err := c.file(t.kind, at); err == nil {
		if r["object_type"] != company.Directory {
			return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists and is no folder.", apierror.Printable(at))
		}
		return resource.Record{}, nil
	}
	c.place(t.kind, at, resource.Record{"object_type": company.Directory})
	return resource.Record{}, nil
}

func (t tree) remove(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if _, err := c.file(t.kind, at); err != nil {
		return nil, err
	}
	var below []string
	for _, it := range c.home.collections.List(t.kind, "", resource.MaxItems, false) {
		if strings.HasPrefix(resource.Text(it.Record["path"]), at+"/") {
			below = append(below, it.ID)
		}
	}
	if recursive, _ := c.object()["recursive"].(bool); len(below) > 0 && !recursive {
		return nil, apierror.New(http.StatusBadRequest, "DIRECTORY_NOT_EMPTY", "Folder (%s) is not empty.", apierror.Printable(at))
	}
	for _, id := range append(below, resource.Key(at)) {
		c.home.collections.Remove(t.kind + "/" + id)
	}
	return resource.Record{}, nil
}

func exportObject(c *call) (any, error) {
	at, r, err := c.at("/workspace")
	if err != nil {
		return nil, err
	}
	if r["object_type"] == company.Directory {
		return nil, apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Folder (%s) can be exported as DBC only, which the emulator does not do.", apierror.Printable(at))
	}
	kind := map[string]string{"PYTHON": "py", "SQL": "sql", "SCALA": "scala", "R": "r"}[resource.Text(r["language"])]
	if kind == "" {
		kind = "file"
	}
	return resource.Record{"content": resource.Text(r["content"]), "file_type": kind}, nil
}

func importObject(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	body := c.object()
	content := resource.Text(body["content"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("content is not base64.")
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if _, err := c.file("/workspace", at); err == nil && body["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	r := resource.Record{"content": content, "size": int64(len(raw)), "object_type": "NOTEBOOK"}
	format := resource.Text(body["format"])
	language := resource.TextOr(body["language"], "")
	if language == "" && (format == "AUTO" || format == "JUPYTER") {
		language = company.LanguageOf(at)
	}
	switch {
	case language != "":
		r["language"] = language
	case format == "JUPYTER":
		r["language"] = "PYTHON"
	default:
		r["object_type"] = "FILE"
	}
	c.place("/workspace", at, r)
	return resource.Record{}, nil
}

func readDBFS(c *call) (any, error) {
	const most = 1 << 20
	_, r, err := c.at("/dbfs")
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"])) // checked when it came in
	offset, _ := strconv.Atoi(c.query.Get("offset"))
	length, _ := strconv.Atoi(c.query.Get("length"))
	if length <= 0 || length > most {
		length = most
	}
	from := min(max(offset, 0), len(raw))
	part := raw[from:min(from+length, len(raw))]
	return resource.Record{"bytes_read": len(part), "data": base64.StdEncoding.EncodeToString(part)}, nil
}

func putDBFS(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	content := resource.Text(c.object()["contents"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("contents is not base64.")
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if _, err := c.file("/dbfs", at); err == nil && c.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	c.place("/dbfs", at, resource.Record{"content": content, "size": int64(len(raw))})
	return resource.Record{}, nil
}

// handles are files of DBFS that are being written, by the numbers that openDBFS gave.
const handles = "/dbfs-handles"

func openDBFS(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if _, err := c.file("/dbfs", at); err == nil && c.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	id := c.home.nextNumber(1)
	c.home.collections.Put(handles+"/"+strconv.FormatInt(id, 10), resource.Record{"path": at, "content": ""})
	return resource.Record{"handle": id}, nil
}

func (c *call) handle() (string, resource.Record, error) {
	name := handles + "/" + resource.Key(resource.Text(c.object()["handle"]))
	it, ok := c.home.collections.Get(name)
	if !ok {
		return "", nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Handle %s is not open.", apierror.Printable(resource.Text(c.object()["handle"])))
	}
	return name, it.Record, nil
}

func addBlock(c *call) (any, error) {
	block, err := base64.StdEncoding.DecodeString(resource.Text(c.object()["data"]))
	if err != nil {
		return nil, apierror.Invalid("data is not base64.")
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name, r, err := c.handle()
	if err != nil {
		return nil, err
	}
	held, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	r = maps.Clone(r)
	r["content"] = base64.StdEncoding.EncodeToString(slices.Concat(held, block))
	c.home.collections.Put(name, r)
	return resource.Record{}, nil
}

func closeDBFS(c *call) (any, error) {
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name, r, err := c.handle()
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	c.place("/dbfs", resource.Text(r["path"]), resource.Record{"content": r["content"], "size": int64(len(raw))})
	c.home.collections.Remove(name)
	return resource.Record{}, nil
}

func moveDBFS(c *call) (any, error) {
	from, err := c.path("source_path")
	if err != nil {
		return nil, err
	}
	to, err := c.path("destination_path")
	if err != nil {
		return nil, err
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	r, err := c.file("/dbfs", from)
	if err != nil {
		return nil, err
	}
	if _, err := c.file("/dbfs", to); err == nil {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(to))
	}
	moved := maps.Clone(r)
	delete(moved, "path")
	c.place("/dbfs", to, moved)
	for _, it := range c.home.collections.List("/dbfs", "", resource.MaxItems, false) {
		if rest, ok := strings.CutPrefix(resource.Text(it.Record["path"]), from+"/"); ok {
			inner := maps.Clone(it.Record)
			delete(inner, "path")
			c.place("/dbfs", to+"/"+rest, inner)
			c.home.collections.Remove("/dbfs/" + it.ID)
		}
	}
	c.home.collections.Remove("/dbfs/" + resource.Key(from))
	return resource.Record{}, nil
}

func downloadFile(c *call) (any, error) {
	at, r, err := c.at("/fs")
	if err != nil {
		return nil, err
	}
	if r["object_type"] == company.Directory {
		return nil, apierror.New(http.StatusNotFound, "NOT_FOUND", "%s is a folder.", apierror.Printable(at))
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	changed, _ := r["modified_at"].(int64)
	return &answer{status: http.StatusOK, body: raw, header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Last-Modified": {time.UnixMilli(changed).UTC().Format(http.TimeFormat)},
	}}, nil
}

func uploadFile(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	if _, err := c.file("/fs", at); err == nil && c.query.Get("overwrite") != "true" {
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s already exists.", apierror.Printable(at))
	}
	c.place("/fs", at, resource.Record{"content": base64.StdEncoding.EncodeToString(c.body), "size": int64(len(c.body))})
	return resource.Record{}, nil
}
