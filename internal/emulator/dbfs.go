package emulator

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

func readDBFS(req *apiRequest) (any, error) {
	const most = 1 << 20
	_, r, err := dbfs().at(req)
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"])) // it was checked when it was written
	offset, _ := strconv.Atoi(req.query.Get("offset"))
	length, _ := strconv.Atoi(req.query.Get("length"))
	if length <= 0 || length > most {
		length = most
	}
	from := min(max(offset, 0), len(raw))
	part := raw[from:min(from+length, len(raw))]
	return resource.Record{"bytes_read": len(part), "data": base64.StdEncoding.EncodeToString(part)}, nil
}

func putDBFS(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	content := resource.Text(req.object()["contents"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("contents is not base64.")
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := dbfs().find(req, at); err == nil && req.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	dbfs().place(req, at, resource.Record{"content": content, "size": int64(len(raw))})
	return resource.Record{}, nil
}

// handles is the collection of files that are being written, by the numbers that openDBFS returned.
const handles = "/dbfs-handles"

func openDBFS(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := dbfs().find(req, at); err == nil && req.object()["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	id := req.home.nextNumber(1)
	req.home.collections.Put(handles+"/"+strconv.FormatInt(id, 10), resource.Record{"path": at, "content": ""})
	return resource.Record{"handle": id}, nil
}

func openedFile(req *apiRequest) (string, resource.Record, error) {
	name := handles + "/" + resource.Key(resource.Text(req.object()["handle"]))
	it, ok := req.home.collections.Get(name)
	if !ok {
		return "", nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Handle %s is not open.", apierror.Printable(resource.Text(req.object()["handle"])))
	}
	return name, it.Record, nil
}

func addBlock(req *apiRequest) (any, error) {
	block, err := base64.StdEncoding.DecodeString(resource.Text(req.object()["data"]))
	if err != nil {
		return nil, apierror.Invalid("data is not base64.")
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, r, err := openedFile(req)
	if err != nil {
		return nil, err
	}
	held, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	r = maps.Clone(r)
	r["content"] = base64.StdEncoding.EncodeToString(slices.Concat(held, block))
	req.home.collections.Put(name, r)
	return resource.Record{}, nil
}

func closeDBFS(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, r, err := openedFile(req)
	if err != nil {
		return nil, err
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	dbfs().place(req, resource.Text(r["path"]), resource.Record{"content": r["content"], "size": int64(len(raw))})
	req.home.collections.Remove(name)
	return resource.Record{}, nil
}

func moveDBFS(req *apiRequest) (any, error) {
	from, err := pathOf(req, "source_path")
	if err != nil {
		return nil, err
	}
	to, err := pathOf(req, "destination_path")
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	r, err := dbfs().find(req, from)
	if err != nil {
		return nil, err
	}
	if _, err := dbfs().find(req, to); err == nil {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(to))
	}
	moved := maps.Clone(r)
	delete(moved, "path")
	dbfs().place(req, to, moved)
	for _, it := range req.home.collections.List("/dbfs", "", resource.MaxItems, false) {
		if rest, ok := strings.CutPrefix(resource.Text(it.Record["path"]), from+"/"); ok {
			inner := maps.Clone(it.Record)
			delete(inner, "path")
			dbfs().place(req, to+"/"+rest, inner)
			req.home.collections.Remove("/dbfs/" + it.ID)
		}
	}
	req.home.collections.Remove("/dbfs/" + resource.Key(from))
	return resource.Record{}, nil
}
