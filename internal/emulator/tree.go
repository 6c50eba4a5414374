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
)

// Notebooks, DBFS and the files of volumes are three trees of the same make: records by their
// paths, of which folders are records too.

const directory = "DIRECTORY"

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
	show func(record) record
}

func objectInfo(r record) record {
	r = maps.Clone(r)
	delete(r, "content")
	if r["object_type"] == directory || r["object_type"] == "NOTEBOOK" {
		delete(r, "size")
	}
	return r
}

func fileInfo(r record) record {
	size, _ := r["size"].(int64)
	return record{"path": r["path"], "is_dir": r["object_type"] == directory, "file_size": size, "modification_time": r["modified_at"]}
}

func directoryEntry(r record) record {
	shown := record{"path": r["path"], "name": path.Base(plain(r["path"])), "is_directory": r["object_type"] == directory}
	if r["object_type"] != directory {
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
func (c *call) at(kind string) (path string, r record, err error) {
	if path, err = c.path(); err != nil {
		return "", nil, err
	}
	r, err = c.file(kind, path)
	return path, r, err
}

func (c *call) file(kindName, at string) (record, error) {
	it, ok := c.state.store.get(kindName + "/" + keyOf(at))
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Path (%s) doesn't exist.", apierror.Printable(at))
	}
	return it.record, nil
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
		if r["object_type"] != directory {
			rows = append(rows, t.show(r))
		} else {
			var since int64
			if text := c.query.Get("notebooks_modified_after"); text != "" {
				if since, err = strconv.ParseInt(text, 10, 64); err != nil {
					return nil, apierror.Invalid("notebooks_modified_after must be a time in milliseconds, not %q.", apierror.Printable(text))
				}
			}
			for _, it := range c.state.store.list(t.kind, "", mostRows, false) {
				changed, _ := it.record["modified_at"].(int64)
				if it.record["object_type"] == "NOTEBOOK" && changed < since {
					continue
				}
				if p := plain(it.record["path"]); p != "/" && path.Dir(p) == at {
					rows = append(rows, t.show(it.record))
				}
			}
		}
		answer := record{}
		if len(rows) > 0 {
			answer[key] = rows
		}
		m := c.route.method
		return json.RawMessage(c.emulator.shapes.of(m, m.Response.Schema).appendTo(nil, answer)), nil
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
	return json.RawMessage(c.emulator.shapes.of(m, m.Response.Schema).appendTo(nil, t.show(r))), nil
}

// place puts a record into a tree, with the folders that it is in.
func (c *call) place(kindName, at string, r record) {
	now := c.emulator.opts.Clock().UnixMilli()
	for dir := path.Dir(at); ; dir = path.Dir(dir) {
		name := kindName + "/" + keyOf(dir)
		if _, ok := c.state.store.get(name); !ok {
			c.state.store.keep(name, c.entry(dir, directory, now))
		}
		if dir == "/" {
			break
		}
	}
	made := c.entry(at, "FILE", now)
	maps.Copy(made, r)
	c.state.store.keep(kindName+"/"+keyOf(at), made)
}

func (c *call) entry(at, kind string, now int64) record {
	id := c.state.nextNumber(900_000_000_000_001)
	return record{"path": at, "object_type": kind, "object_id": id, "resource_id": strconv.FormatInt(id, 10), "created_at": now, "modified_at": now}
}

func (t tree) mkdirs(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if r, err := c.file(t.kind, at); err == nil {
		if r["object_type"] != directory {
			return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists and is no folder.", apierror.Printable(at))
		}
		return record{}, nil
	}
	c.place(t.kind, at, record{"object_type": directory})
	return record{}, nil
}

func (t tree) remove(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if _, err := c.file(t.kind, at); err != nil {
		return nil, err
	}
	var below []string
	for _, it := range c.state.store.list(t.kind, "", mostRows, false) {
		if strings.HasPrefix(plain(it.record["path"]), at+"/") {
			below = append(below, it.id)
		}
	}
	if recursive, _ := c.object()["recursive"].(bool); len(below) > 0 && !recursive {
		return nil, apierror.New(http.StatusBadRequest, "DIRECTORY_NOT_EMPTY", "Folder (%s) is not empty.", apierror.Printable(at))
	}
	for _, id := range append(below, keyOf(at)) {
		c.state.store.remove(t.kind + "/" + id)
	}
	return record{}, nil
}

// lastDot is a file's ending with its dot.
func lastDot(at string) string { return path.Ext(at) }

func languageOf(at string) string {
	return map[string]string{".py": "PYTHON", ".sql": "SQL", ".scala": "SCALA", ".r": "R"}[strings.ToLower(path.Ext(at))]
}

func exportObject(c *call) (any, error) {
	at, r, err := c.at("/workspace")
	if err != nil {
		return nil, err
	}
	if r["object_type"] == directory {
		return nil, apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Folder (%s) can be exported as DBC only, which the emulator does not do.", apierror.Printable(at))
	}
	kind := map[string]string{"PYTHON": "py", "SQL": "sql", "SCALA": "scala", "R": "r"}[plain(r["language"])]
	if kind == "" {
		kind = "file"
	}
	return record{"content": plain(r["content"]), "file_type": kind}, nil
}

func importObject(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	body := c.object()
	content := plain(body["content"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("content is not base64.")
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if _, err := c.file("/workspace", at); err == nil && body["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	r := record{"content": content, "size": int64(len(raw)), "object_type": "NOTEBOOK"}
	format := plain(body["format"])
	language := orText(body["language"], "")
	if language == "" && (format == "AUTO" || format == "JUPYTER") {
		language = languageOf(at)
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
	return record{}, nil
}

func readDBFS(c *call) (any, error) {
	const most = 1 << 20
	_, r, err := c.at("/dbfs")
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(plain(r["content"])) // checked when it came in
	offset, _ := strconv.Atoi(c.query.Get("offset"))
	length, _ := strconv.Atoi(c.query.Get("length"))
	if length <= 0 || length > most {
		length = most
	}
	from := min(max(offset, 0), len(raw))
	part := raw[from:min(from+length, len(raw))]
	return record{"bytes_read": len(part), "data": base64.StdEncoding.EncodeToString(part)}, nil
}

func putDBFS(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	content := plain(c.object()["contents"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("contents is not base64.")
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if _, err := c.file("/dbfs", at); err == nil && c.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	c.place("/dbfs", at, record{"content": content, "size": int64(len(raw))})
	return record{}, nil
}

// handles are files of DBFS that are being written, by the numbers that openDBFS gave.
const handles = "/dbfs-handles"

func openDBFS(c *call) (any, error) {
	at, err := c.path()
	if err != nil {
		return nil, err
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if _, err := c.file("/dbfs", at); err == nil && c.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	id := c.state.nextNumber(1)
	c.state.store.keep(handles+"/"+strconv.FormatInt(id, 10), record{"path": at, "content": ""})
	return record{"handle": id}, nil
}

func (c *call) handle() (string, record, error) {
	name := handles + "/" + keyOf(plain(c.object()["handle"]))
	it, ok := c.state.store.get(name)
	if !ok {
		return "", nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Handle %s is not open.", apierror.Printable(plain(c.object()["handle"])))
	}
	return name, it.record, nil
}

func addBlock(c *call) (any, error) {
	block, err := base64.StdEncoding.DecodeString(plain(c.object()["data"]))
	if err != nil {
		return nil, apierror.Invalid("data is not base64.")
	}
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	name, r, err := c.handle()
	if err != nil {
		return nil, err
	}
	held, _ := base64.StdEncoding.DecodeString(plain(r["content"]))
	r = maps.Clone(r)
	r["content"] = base64.StdEncoding.EncodeToString(slices.Concat(held, block))
	c.state.store.keep(name, r)
	return record{}, nil
}

func closeDBFS(c *call) (any, error) {
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	name, r, err := c.handle()
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(plain(r["content"]))
	c.place("/dbfs", plain(r["path"]), record{"content": r["content"], "size": int64(len(raw))})
	c.state.store.remove(name)
	return record{}, nil
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
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
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
	for _, it := range c.state.store.list("/dbfs", "", mostRows, false) {
		if rest, ok := strings.CutPrefix(plain(it.record["path"]), from+"/"); ok {
			inner := maps.Clone(it.record)
			delete(inner, "path")
			c.place("/dbfs", to+"/"+rest, inner)
			c.state.store.remove("/dbfs/" + it.id)
		}
	}
	c.state.store.remove("/dbfs/" + keyOf(from))
	return record{}, nil
}

func downloadFile(c *call) (any, error) {
	at, r, err := c.at("/fs")
	if err != nil {
		return nil, err
	}
	if r["object_type"] == directory {
		return nil, apierror.New(http.StatusNotFound, "NOT_FOUND", "%s is a folder.", apierror.Printable(at))
	}
	raw, _ := base64.StdEncoding.DecodeString(plain(r["content"]))
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
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	if _, err := c.file("/fs", at); err == nil && c.query.Get("overwrite") != "true" {
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s already exists.", apierror.Printable(at))
	}
	c.place("/fs", at, record{"content": base64.StdEncoding.EncodeToString(c.body), "size": int64(len(c.body))})
	return record{}, nil
}
