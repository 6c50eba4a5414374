package sandbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/lakeql/lakeql/provider"
)

func open(t *testing.T, memory int64) *sqlite3.Conn {
	t.Helper()
	db, err := Open(memory)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Close(db); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestRefused runs statements that a database must refuse.
func TestRefused(t *testing.T) {
	t.Parallel()
	db := open(t, 0)
	file := filepath.Join(t.TempDir(), "x.db")
	for text, want := range map[string]string{
		"ATTACH '" + file + "' AS x":                   "not authorized",
		"ATTACH ? AS x":                                "not authorized",
		"DETACH temp":                                  "not authorized",
		"VACUUM INTO '" + file + "'":                   "authorization denied",
		"PRAGMA writable_schema = ON":                  "not authorized",
		"PRAGMA trusted_schema = ON":                   "not authorized",
		"PRAGMA temp_store_directory = '/tmp'":         "not authorized",
		"PRAGMA hard_heap_limit = 0":                   "not authorized",
		"SELECT load_extension('x')":                   "no such function",
		"SELECT writefile('x', 'y')":                   "no such function",
		"SELECT 1; SELECT 2":                           "text behind the end",
		"SELECT 1\x00; SELECT 2":                       "text behind the end",
		"-- nothing":                                   "no statement",
		"INSERT INTO sqlite_schema VALUES (1,1,1,1,1)": "may not be modified",
		"SELECT hex(zeroblob(100000000)) /* 200 MB */": "too big",
		"CREATE VIRTUAL TABLE x USING fts5(a)":         "no such module",
	} {
		if err := Exec(db, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"SELECT name FROM pragma_table_info('t')", "PRAGMA integrity_check", "SELECT count(*) FROM pragma_function_list", "SELECT 1  \n"} {
		if err := Exec(db, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written")
	}
	if err := Attach(db, "file:"+file+"?mode=rwc", "x"); err != nil {
		t.Fatal(err)
	}
	if err := Exec(db, "CREATE TABLE x.t (a)"); err != nil {
		t.Error(err)
	}
	if err := Exec(db, "ATTACH ':memory:' AS y"); err == nil {
		t.Error("after Attach, ATTACH is allowed")
	}
}

// TestMemory uses up the memory of databases in several ways, and shows that each is an error, and
// that the database and its locks can be released.
func TestMemory(t *testing.T) {
	t.Parallel()
	const memory = 4 << 20
	for name, text := range map[string]string{
		"an aggregate":     "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000) SELECT group_concat(printf('%010000d', n)) FROM c",
		"a large value":    "SELECT zeroblob(1900000) || zeroblob(1)",
		"several values":   "SELECT randomblob(1500000), randomblob(1500000), randomblob(1500000), randomblob(1500000)",
		"a Go function":    "SELECT many(3000000)",
		"Go in the middle": "INSERT INTO x.t SELECT many(3000000)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := Open(memory)
			if err != nil {
				t.Fatal(err)
			}
			many := func(ctx sqlite3.Context, args ...sqlite3.Value) { ctx.ResultText(strings.Repeat("x", args[0].Int())) }
			file := filepath.Join(t.TempDir(), "x.db")
			err = errors.Join(db.CreateFunction("many", 1, 0, many), Attach(db, "file:"+file+"?mode=rwc", "x"), Exec(db, "CREATE TABLE x.t (a)"))
			if err != nil {
				t.Fatal(err)
			}
			err = Catch(memory, func() error {
				stmt, err := Prepare(db, text)
				if err != nil {
					return err
				}
				for stmt.Step() {
					t.Log("a row")
				}
				return stmt.Err()
			})
			e, ok := errors.AsType[*provider.Error](err)
			if tooBig := errors.Is(err, sqlite3.TOOBIG); !tooBig && (!ok || e.Code != provider.API || e.Hint == "" || !strings.Contains(e.Message, "the 4 MiB that it may take")) {
				t.Errorf("%v", err)
			}
			if err := Close(db); err != nil {
				t.Errorf("close: %v", err)
			}
			again := open(t, 0)
			if err := errors.Join(Attach(again, "file:"+file+"?mode=rw", "x"), Exec(again, "INSERT INTO x.t VALUES (1)")); err != nil {
				t.Errorf("the file is locked: %v", err)
			}
		})
	}
}

// TestOtherFaults shows that a panic which is not SQLite's says where it happened.
func TestOtherFaults(t *testing.T) {
	t.Parallel()
	err := Catch(0, func() error { panic("out of order") })
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || e.Code != provider.Internal || !strings.Contains(e.Message, "out of order") || !strings.Contains(e.Hint, "sandbox_test.go:") {
		t.Errorf("%v, %+v", err, e)
	}
}

// written records the bytes that are written to files.
type written struct {
	vfs.VFSFilename

	mu    *sync.Mutex
	bytes *bytes.Buffer
}

func (w written) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := w.VFSFilename.OpenFilename(name, flags)
	return recorded{file, w}, flags, err
}

type recorded struct {
	vfs.File

	to written
}

func (r recorded) WriteAt(p []byte, off int64) (int, error) {
	r.to.mu.Lock()
	defer r.to.mu.Unlock()
	r.to.bytes.Write(p)
	return r.File.WriteAt(p, off)
}

// TestTemporaryFiles makes SQLite write rows to temporary files, and searches the files for these rows.
func TestTemporaryFiles(t *testing.T) {
	t.Parallel()
	system, ok := vfs.Find("").(vfs.VFSFilename)
	if !ok {
		t.Fatal("no file system")
	}
	for name, enciphered := range map[string]bool{"test-plain": false, "test-enciphered": true} {
		record := written{system, &sync.Mutex{}, &bytes.Buffer{}}
		vfs.Register(name, record)
		if enciphered {
			vfs.Register(name, newTempFiles(record))
		}
		db, err := sqlite3.Open("file::memory:?vfs=" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Confine(db, 8<<20); err != nil {
			t.Fatal(err)
		}
		const rows = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 8000) SELECT printf('a secret %0300d', n) AS a FROM c"
		err = errors.Join(Exec(db, "CREATE TEMP TABLE t AS "+rows), Exec(db, "SELECT a FROM temp.t ORDER BY substr(a, -3), a"))
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := Prepare(db, "SELECT count(*), sum(a LIKE 'a secret 0%') FROM temp.t")
		if err != nil {
			t.Fatal(err)
		}
		if !stmt.Step() || stmt.ColumnInt(0) != 8000 || stmt.ColumnInt(1) != 8000 {
			t.Errorf("%s: rows are lost: %v", name, stmt.Err())
		}
		if err := Close(db); err != nil {
			t.Error(err)
		}
		if n := record.bytes.Len(); n < 3<<20 {
			t.Errorf("%s: %d bytes were written, too few to tell", name, n)
		}
		if found := bytes.Contains(record.bytes.Bytes(), []byte("a secret")); found == enciphered {
			t.Errorf("%s: rows in clear: %v", name, found)
		}
	}
}
