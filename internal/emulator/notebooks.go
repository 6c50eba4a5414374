package emulator

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

func exportObject(req *apiRequest) (any, error) {
	at, r, err := notebooks().at(req)
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

func importObject(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	body := req.object()
	content := resource.Text(body["content"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("content is not base64.")
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := notebooks().find(req, at); err == nil && body["overwrite"] != true {
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
	notebooks().place(req, at, r)
	return resource.Record{}, nil
}

func downloadFile(req *apiRequest) (any, error) {
	at, r, err := volumes().at(req)
	if err != nil {
		return nil, err
	}
	if r["object_type"] == company.Directory {
		return nil, apierror.New(http.StatusNotFound, "NOT_FOUND", "%s is a folder.", apierror.Printable(at))
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	changed, _ := r["modified_at"].(int64)
	return &response{status: http.StatusOK, body: raw, header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Last-Modified": {time.UnixMilli(changed).UTC().Format(http.TimeFormat)},
	}}, nil
}

func uploadFile(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := volumes().find(req, at); err == nil && req.query.Get("overwrite") != "true" {
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s already exists.", apierror.Printable(at))
	}
	volumes().place(req, at, resource.Record{"content": base64.StdEncoding.EncodeToString(req.body), "size": int64(len(req.body))})
	return resource.Record{}, nil
}
