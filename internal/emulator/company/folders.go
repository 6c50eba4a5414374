package company

import (
	"encoding/base64"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// folderData is notebooks and files, repositories, secrets and tokens.
var folderData = map[string]dataset{
	"/workspace":               fixed(workspaceObjects),
	"/dbfs":                    fixed(dbfsFiles),
	"/fs":                      fixed(volumeFiles),
	"/repos":                   fixed(repositories),
	"/secrets/scopes":          fixed(secretScopes),
	"/secrets":                 fixed(secrets),
	"/secrets/acls":            fixed(secretACLs),
	"/token-management/tokens": fixed(tokens),
}

// tree makes the records of files, by key, from their contents by path. Paths of folders end in a
// slash.
func (co *Company) tree(kindName string, files map[string]string) map[string]resource.Record {
	all := map[string]resource.Record{}
	for at, content := range files {
		d := co.Draw(kindName + at)
		made, changed := d.times()
		r := resource.Record{
			"created_at": made.UnixMilli(), "modified_at": changed.UnixMilli(), "object_id": int64(100_000_000_000_000 + d.Below(1<<31-1)),
		}
		switch {
		case at == "/":
			r["object_type"] = Directory
		case strings.HasSuffix(at, "/"):
			at = strings.TrimSuffix(at, "/")
			r["object_type"] = Directory
		default:
			r["object_type"] = "FILE"
			if language := LanguageOf(at); language != "" && kindName == "/workspace" {
				r["object_type"], r["language"] = "NOTEBOOK", language
				at = strings.TrimSuffix(at, path.Ext(at))
			}
			r["content"], r["size"] = base64.StdEncoding.EncodeToString([]byte(content)), int64(len(content))
		}
		r["path"], r["resource_id"] = at, strconv.FormatInt(r["object_id"].(int64), 10)
		all[resource.Key(at)] = r
	}
	return all
}

func workspaceObjects(co *Company) map[string]resource.Record {
	files := map[string]string{
		"/": "", "/Users/": "", "/Shared/": "", "/Repos/": "", "/Shared/jobs/": "", "/Shared/sql/": "", "/Shared/pipelines/": "",
		"/Shared/README.md": "# Harbor Finch\n\nNotebooks and queries that everybody uses.\n",
	}
	for _, s := range stories() {
		switch s.task {
		case "notebook":
			files["/Shared/jobs/"+s.name+".py"] = "# Databricks notebook source\nspark.sql('SELECT count(*) FROM main.shop.orders').show()\n"
		case "sql":
			files["/Shared/sql/"+s.name+".sql"] = "-- Databricks notebook source\nSELECT * FROM main.finance.daily_sales\n"
		}
	}
	for _, name := range pipelineStories() {
		files["/Shared/pipelines/"+name+".sql"] = "-- Databricks notebook source\nCREATE OR REFRESH STREAMING TABLE t AS SELECT * FROM STREAM raw.landing.till_events\n"
	}
	for _, p := range Humans()[:4] {
		files["/Users/"+p.Email+"/"] = ""
		files["/Users/"+p.Email+"/scratch.py"] = "# Databricks notebook source\nprint('hello')\n"
	}
	return co.tree("/workspace", files)
}

func dbfsFiles(co *Company) map[string]resource.Record {
	return co.tree("/dbfs", map[string]string{
		"/": "", "/FileStore/": "", "/FileStore/logo.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "/tmp/": "",
		"/tmp/till-events.json": "{\"till\": 1, \"total\": 12.5}\n",
	})
}

func volumeFiles(co *Company) map[string]resource.Record {
	return co.tree("/fs", map[string]string{
		"/": "", "/Volumes/": "", "/Volumes/main/": "", "/Volumes/main/shop/": "", "/Volumes/main/shop/exports/": "",
		"/Volumes/main/shop/exports/orders.csv": "order_id,total\n1,12.50\n2,7.00\n", "/Volumes/main/shop/product_images/": "",
	})
}

func repositories(co *Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for i, name := range []string{"dashboards", "lake-jobs", "roastery-models"} {
		d := co.Draw("/repos/" + name)
		id := int64(3_300_000_000_000_001 + i)
		commit := hex.EncodeToString([]byte(d.UUID()))[:40]
		all[strconv.FormatInt(id, 10)] = resource.Record{
			"id": id, "path": "/Repos/" + Humans()[i].Email + "/" + name, "url": "https://git.harbor-finch.example/data/" + name + ".git",
			"provider": "gitHub", "branch": "main", "head_commit_id": commit,
		}
	}
	return all
}

func secretScopes(*Company) map[string]resource.Record {
	return map[string]resource.Record{
		"shop":     {"name": "shop", "backend_type": "DATABRICKS"},
		"roastery": {"name": "roastery", "backend_type": "DATABRICKS"},
	}
}

func secrets(co *Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for scope, keys := range map[string][]string{"shop": {"payments-api", "till-password"}, "roastery": {"sensor-gateway"}} {
		for _, key := range keys {
			d := co.Draw("/secrets/" + scope + "/" + key)
			_, changed := d.times()
			all[resource.JoinKey([]string{key, scope})] = resource.Record{
				"key": key, "scope": scope, "last_updated_timestamp": changed.UnixMilli(),
				"value": base64.StdEncoding.EncodeToString([]byte("made-up-" + d.label())),
			}
		}
	}
	return all
}

func secretACLs(*Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for _, scope := range []string{"shop", "roastery"} {
		for principal, permission := range map[string]string{"data-engineers": "MANAGE", "analysts": "READ"} {
			all[resource.JoinKey([]string{principal, scope})] = resource.Record{"principal": principal, "permission": permission, "scope": scope}
		}
	}
	return all
}

// tokenStory is a token and its lifetime. Someone always extends it before it expires.
type tokenStory struct {
	comment string
	owner   int // among humans
	// Between left and left+lasts days remain until the token expires. If lasts is 0, it never
	// expires.
	left, lasts int
}

// tokenStories has one or two tokens in each workspace that expire within 30 days.
func tokenStories() []tokenStory {
	return []tokenStory{
		{"till integration", 1, 1, 28}, {"notebook on ada's laptop", 0, 1, 56}, {"export to the accountants", 3, 45, 120}, {"dashboards", 2, 0, 0},
	}
}

func tokens(co *Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for _, s := range tokenStories() {
		d := co.Draw("/tokens/" + s.comment)
		made, _ := d.times()
		id := hex.EncodeToString([]byte(d.UUID()))[:64]
		owner := int64(FirstUser + s.owner)
		all[id] = resource.Record{
			"token_id": id, "comment": s.comment, "created_by_username": Humans()[s.owner].Email, "created_by_id": owner, "owner_id": owner,
			"creation_time": made.UnixMilli(), "expiry_time": s.expiry(d, co.Clock()), "workspace_id": int64(co.WorkspaceID()), //nolint:gosec // has 16 digits
		}
	}
	return all
}

// expiry is when a token expires, in milliseconds. It stays the same until someone extends the
// token, so that lists at different times differ little.
func (s tokenStory) expiry(d *Draw, now time.Time) int64 {
	const day = 86_400
	if s.lasts == 0 {
		return -1
	}
	lasts := int64(s.lasts) * day
	passed := (now.Unix() - int64(d.Below(s.lasts*day))) % lasts // since it was extended
	return (now.Unix() - passed + lasts + int64(s.left)*day) * 1000
}

// Directory is the type of a folder among notebooks and files.
const Directory = "DIRECTORY"

// LanguageOf returns the language of a notebook from the extension of its path, and is empty for
// other files.
func LanguageOf(at string) string {
	return map[string]string{".py": "PYTHON", ".sql": "SQL", ".scala": "SCALA", ".r": "R"}[strings.ToLower(path.Ext(at))]
}
