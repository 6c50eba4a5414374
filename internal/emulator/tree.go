package emulator

import (
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// treeHandlers are the operations on notebooks and files.
func treeHandlers() map[string]handler {
	const objects, files, fs = "/api/2.0/workspace/", "/api/2.0/dbfs/", "/api/2.0/fs/"
	return map[string]handler{
		"GET " + objects + "list":                      notebooks().list("objects"),
		"GET " + objects + "get-status":                objectStatus,
		"POST /api/2.0/workspace-files/import-file/{}": importFile,
		"GET " + objects + "export":                    exportObject,
		"POST " + importPath:                           importObject,
		"POST " + objects + "mkdirs":                   notebooks().mkdirs,
		"POST " + objects + "delete":                   notebooks().remove,

		"GET " + files + "list":       dbfs().list("files"),
		"GET " + files + "get-status": dbfs().status,
		"GET " + files + "read":       readDBFS,
		"POST " + files + "put":       putDBFS,
		"POST " + files + "create":    openDBFS,
		"POST " + files + "add-block": addBlock,
		"POST " + files + "close":     closeDBFS,
		"POST " + files + "mkdirs":    dbfs().mkdirs,
		"POST " + files + "move":      moveDBFS,
		"POST " + files + "delete":    dbfs().remove,

		"GET " + fs + "directories{}":    volumes().list("contents"),
		"HEAD " + fs + "directories{}":   volumes().status,
		"PUT " + fs + "directories{}":    volumes().mkdirs,
		"DELETE " + fs + "directories{}": volumes().remove,
		"GET " + fs + "files{}":          downloadFile,
		"HEAD " + fs + "files{}":         downloadFile,
		"PUT " + fs + "files{}":          uploadFile,
		"DELETE " + fs + "files{}":       volumes().remove,
	}
}

// tree is notebooks, DBFS or the files of volumes: records of files and folders by their paths.
// Show makes the record of a list's item.
type tree struct {
	kind string
	show func(resource.Record) resource.Record
}

func notebooks() tree { return tree{"/workspace", objectInfo} }
func dbfs() tree      { return tree{"/dbfs", fileInfo} }
func volumes() tree   { return tree{"/fs", directoryEntry} }

func objectInfo(r resource.Record) resource.Record {
	r = maps.Clone(r)
	delete(r, "content")
	delete(r, "format")
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

// pathOf returns the path that a request names, without the prefixes /Workspace of notebooks and
// dbfs: of DBFS.
func pathOf(req *apiRequest, names ...string) (string, error) {
	text := ""
	for _, name := range append(names, "path", "directory_path", "file_path") {
		if text = req.value(name); text != "" {
			break
		}
	}
	text = strings.TrimPrefix(text, "dbfs:")
	if req.method.Path == importFilePath && !strings.HasPrefix(text, "/") {
		text = "/" + text
	}
	if strings.HasPrefix(req.method.Path, "/api/2.0/workspace/") || req.method.Path == importFilePath {
		text, _ = unmounted(path.Clean(text))
	}
	if !strings.HasPrefix(text, "/") {
		return "", apierror.Invalid("Path (%s) doesn't start with '/'.", apierror.Printable(text))
	}
	return path.Clean(text), nil
}

// at finds the file or folder that a request names.
func (t tree) at(req *apiRequest) (path string, r resource.Record, err error) {
	if path, err = pathOf(req); err != nil {
		return "", nil, err
	}
	r, err = t.find(req, path)
	return path, r, err
}

func (t tree) find(req *apiRequest, at string) (resource.Record, error) {
	it, ok := req.home.collections.Get(t.kind + "/" + resource.Key(at))
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Path (%s) doesn't exist.", apierror.Printable(at))
	}
	return it.Record, nil
}

func (t tree) list(key string) handler {
	return func(req *apiRequest) (any, error) {
		at, err := pathOf(req)
		if err != nil {
			return nil, err
		}
		r, err := t.find(req, at)
		if err != nil {
			return nil, err
		}
		rows := []any{}
		if r["object_type"] != company.Directory {
			rows = append(rows, asAsked(req, t.show(r)))
		} else {
			var since int64
			if text := req.query.Get("notebooks_modified_after"); text != "" {
				if since, err = strconv.ParseInt(text, 10, 64); err != nil {
					return nil, apierror.Invalid("notebooks_modified_after must be a time in milliseconds, not %q.", apierror.Printable(text))
				}
			}
			for _, it := range req.home.collections.List(t.kind, "", resource.MaxItems, false) {
				changed, _ := it.Record["modified_at"].(int64)
				if it.Record["object_type"] == "NOTEBOOK" && changed < since {
					continue
				}
				if p := resource.Text(it.Record["path"]); p != "/" && path.Dir(p) == at {
					rows = append(rows, asAsked(req, t.show(it.Record)))
				}
			}
		}
		answer := resource.Record{}
		if len(rows) > 0 {
			answer[key] = rows
		}
		return req.shaped(answer), nil
	}
}

func (t tree) status(req *apiRequest) (any, error) {
	_, r, err := t.at(req)
	if err != nil {
		return nil, err
	}
	m := req.method
	if m.Response == nil || m.Response.Schema == nil {
		return &response{status: http.StatusOK}, nil
	}
	return json.RawMessage(req.shapes.Response(m).AppendTo(nil, t.show(r))), nil
}

// place puts a record into a tree and creates the folders above it.
func (t tree) place(req *apiRequest, at string, r resource.Record) {
	now := req.now().UnixMilli()
	for dir := path.Dir(at); ; dir = path.Dir(dir) {
		name := t.kind + "/" + resource.Key(dir)
		if _, ok := req.home.collections.Get(name); !ok {
			req.home.collections.Put(name, newEntry(req, dir, company.Directory, now))
		}
		if dir == "/" {
			break
		}
	}
	made := newEntry(req, at, "FILE", now)
	maps.Copy(made, r)
	req.home.collections.Put(t.kind+"/"+resource.Key(at), made)
}

func newEntry(req *apiRequest, at, kind string, now int64) resource.Record {
	id := req.home.nextNumber(900_000_000_000_001)
	return resource.Record{"path": at, "object_type": kind, "object_id": id, "resource_id": strconv.FormatInt(id, 10), "created_at": now, "modified_at": now}
}

func (t tree) mkdirs(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if r, err := t.find(req, at); err == nil {
		if r["object_type"] != company.Directory {
			return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists and is no folder.", apierror.Printable(at))
		}
		return resource.Record{}, nil
	}
	t.place(req, at, resource.Record{"object_type": company.Directory})
	return resource.Record{}, nil
}

func (t tree) remove(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := t.find(req, at); err != nil {
		return nil, err
	}
	var below []string
	for _, it := range req.home.collections.List(t.kind, "", resource.MaxItems, false) {
		if strings.HasPrefix(resource.Text(it.Record["path"]), at+"/") {
			below = append(below, it.ID)
		}
	}
	if recursive, _ := req.object()["recursive"].(bool); len(below) > 0 && !recursive {
		return nil, apierror.New(http.StatusBadRequest, "DIRECTORY_NOT_EMPTY", "Folder (%s) is not empty.", apierror.Printable(at))
	}
	for _, id := range append(below, resource.Key(at)) {
		req.home.collections.Remove(t.kind + "/" + id)
	}
	return resource.Record{}, nil
}
