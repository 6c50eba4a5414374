package emulator

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// folderSeeds are notebooks and files, repositories, secrets and tokens.
var folderSeeds = map[string]seed{
	"/workspace":               fixed(workspaceObjects),
	"/dbfs":                    fixed(dbfsFiles),
	"/fs":                      fixed(volumeFiles),
	"/repos":                   fixed(repositories),
	"/secrets/scopes":          fixed(secretScopes),
	"/secrets":                 fixed(secrets),
	"/secrets/acls":            fixed(secretACLs),
	"/token-management/tokens": fixed(tokens),
}

// tree is files by their paths, folders ending in a slash, for records of them.
func (co *company) tree(kindName string, files map[string]string) map[string]resource.Record {
	all := map[string]resource.Record{}
	for path, content := range files {
		d := co.draw(kindName + path)
		made, changed := d.times()
		r := resource.Record{
			"created_at": made.UnixMilli(), "modified_at": changed.UnixMilli(), "object_id": int64(100_000_000_000_000 + d.below(1<<31-1)),
		}
		switch {
		case path == "/":
			r["object_type"] = directory
		case strings.HasSuffix(path, "/"):
			path = strings.TrimSuffix(path, "/")
			r["object_type"] = directory
		default:
			r["object_type"] = "FILE"
			if language := languageOf(path); language != "" && kindName == "/workspace" {
				r["object_type"], r["language"] = "NOTEBOOK", language
				path = strings.TrimSuffix(path, lastDot(path))
			}
			r["content"], r["size"] = base64.StdEncoding.EncodeToString([]byte(content)), int64(len(content))
		}
		r["path"], r["resource_id"] = path, strconv.FormatInt(r["object_id"].(int64), 10)
		all[resource.Key(path)] = r
	}
	return all
}

func workspaceObjects(co *company) map[string]resource.Record {
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
	for _, p := range humans()[:4] {
		files["/Users/"+p.email+"/"] = ""
		files["/Users/"+p.email+"/scratch.py"] = "# Databricks notebook source\nprint('hello')\n"
	}
	return co.tree("/workspace", files)
}

func dbfsFiles(co *company) map[string]resource.Record {
	return co.tree("/dbfs", map[string]string{
		"/": "", "/FileStore/": "", "/FileStore/logo.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "/tmp/": "",
		"/tmp/till-events.json": "{\"till\": 1, \"total\": 12.5}\n",
	})
}

func volumeFiles(co *company) map[string]resource.Record {
	return co.tree("/fs", map[string]string{
		"/": "", "/Volumes/": "", "/Volumes/main/": "", "/Volumes/main/shop/": "", "/Volumes/main/shop/exports/": "",
		"/Volumes/main/shop/exports/orders.csv": "order_id,total\n1,12.50\n2,7.00\n", "/Volumes/main/shop/product_images/": "",
	})
}

func repositories(co *company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for i, name := range []string{"dashboards", "lake-jobs", "roastery-models"} {
		d := co.draw("/repos/" + name)
		id := int64(3_300_000_000_000_001 + i)
		commit := hex.EncodeToString([]byte(d.uuid()))[:40]
		all[strconv.FormatInt(id, 10)] = resource.Record{
			"id": id, "path": "/Repos/" + humans()[i].email + "/" + name, "url": "https://git.harbor-finch.example/data/" + name + ".git",
			"provider": "gitHub", "branch": "main", "head_commit_id": commit,
		}
	}
	return all
}

func secretScopes(*company) map[string]resource.Record {
	return map[string]resource.Record{
		"shop":     {"name": "shop", "backend_type": "DATABRICKS"},
		"roastery": {"name": "roastery", "backend_type": "DATABRICKS"},
	}
}

func secrets(co *company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for scope, keys := range map[string][]string{"shop": {"payments-api", "till-password"}, "roastery": {"sensor-gateway"}} {
		for _, key := range keys {
			d := co.draw("/secrets/" + scope + "/" + key)
			_, changed := d.times()
			all[resource.JoinKey([]string{key, scope})] = resource.Record{
				"key": key, "scope": scope, "last_updated_timestamp": changed.UnixMilli(),
				"value": base64.StdEncoding.EncodeToString([]byte("made-up-" + d.label())),
			}
		}
	}
	return all
}

func secretACLs(*company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for _, scope := range []string{"shop", "roastery"} {
		for principal, permission := range map[string]string{"data-engineers": "MANAGE", "analysts": "READ"} {
			all[resource.JoinKey([]string{principal, scope})] = resource.Record{"principal": principal, "permission": permission, "scope": scope}
		}
	}
	return all
}

// tokenStory is a token and how long it is good for: before it expires, somebody always makes it
// last longer.
type tokenStory struct {
	comment string
	owner   int // among humans
	// left is the fewest days that are ever left of it, left and lasts together the most. Without
	// lasts it never expires.
	left, lasts int
}

// tokenStories have one token in each workspace that expires within 30 days, or two.
func tokenStories() []tokenStory {
	return []tokenStory{
		{"till integration", 1, 1, 28}, {"notebook on ada's laptop", 0, 1, 56}, {"export to the accountants", 3, 45, 120}, {"dashboards", 2, 0, 0},
	}
}

func tokens(co *company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for _, s := range tokenStories() {
		d := co.draw("/tokens/" + s.comment)
		made, _ := d.times()
		id := hex.EncodeToString([]byte(d.uuid()))[:64]
		owner := int64(firstUser + s.owner)
		all[id] = resource.Record{
			"token_id": id, "comment": s.comment, "created_by_username": humans()[s.owner].email, "created_by_id": owner, "owner_id": owner,
			"creation_time": made.UnixMilli(), "expiry_time": s.expiry(d, co.clock()), "workspace_id": int64(co.workspaceID()), //nolint:gosec // has 16 digits
		}
	}
	return all
}

// expiry is when a token expires, in milliseconds, as it is said at a time: the same until the token
// is made to last, so that lists at different times differ no more than they have to.
func (s tokenStory) expiry(d *draw, now time.Time) int64 {
	const day = 86_400
	if s.lasts == 0 {
		return -1
	}
	lasts := int64(s.lasts) * day
	passed := (now.Unix() - int64(d.below(s.lasts*day))) % lasts // since it was last made to last
	return (now.Unix() - passed + lasts + int64(s.left)*day) * 1000
}
