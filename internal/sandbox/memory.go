package sandbox

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/provider"
)

// bound returns the memory of a database in whole MiB.
func bound(memory int64) int64 {
	if memory <= 0 {
		return UsualMemory
	}
	return (memory + 1<<20 - 1) >> 20 << 20
}

// heap is the part of the memory that SQLite may allocate. Its code needs the rest for static data and
// for the gaps between allocations.
func heap(memory int64) int64 { return memory - memory/8 }

// LongestValue is how many bytes one value may have. SQLite copies a value once at least, so a
// longer one would not fit twice.
func LongestValue(memory int64) int64 { return heap(bound(memory)) / 2 }

// TooLong is the error of a value that is longer than [LongestValue].
func TooLong(memory int64) *provider.Error {
	return provider.Errorf(provider.API, "a value is larger than the %d MiB that SQLite takes", LongestValue(memory)>>20).
		Hintf("%s", remedy).
		Because(sqlite3.TOOBIG)
}

// remedy is the hint for a query that needs more memory.
const remedy = "read fewer columns or rows at once, or allow more memory with --memory"

// outOfMemory is the value of go-sqlite3's panic after a failed allocation.
const outOfMemory = "sqlite3: out of memory"

// Fault returns the error to report for a panic; fault is the result of recover.
func Fault(fault any, memory int64) *provider.Error {
	err, _ := fault.(error)
	if err != nil && err.Error() == outOfMemory {
		return provider.Errorf(provider.API, "the statement needs more memory in SQLite than the %d MiB that it may take", bound(memory)>>20).
			Hintf("%s", remedy).
			Because(err)
	}
	return provider.Fault(fault)
}

// Catch runs a function that uses a database, and makes an error of a panic. The database must not
// be used after it: [Close] releases it.
func Catch(memory int64, f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = Fault(fault, memory)
		}
	}()
	return f()
}

// Close closes a database with its statements. After a panic, SQLite still holds an unfinished
// statement, which would keep the database open, with its memory and its file locks.
func Close(db *sqlite3.Conn) error {
	var open []*sqlite3.Stmt
	for stmt := range db.Stmts() {
		open = append(open, stmt)
	}
	for _, stmt := range open {
		_ = Catch(0, stmt.Close) // it returns the error of the last step again
	}
	return Catch(0, db.Close)
}
