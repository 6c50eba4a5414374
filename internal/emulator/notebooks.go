package emulator

import (
	"encoding/base64"
	"net/http"

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
