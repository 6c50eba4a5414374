package sandbox

import (
	"sync"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/xts"
)

// vfsName is the name of the file system of [Open] for SQLite.
const vfsName = "lakeql"

// FileSystem returns the parameter of a URI that opens a database with enciphered temporary files.
func FileSystem() string {
	registerTempFiles()
	return "vfs=" + vfsName
}

// registerTempFiles makes the file system known to SQLite.
//
//nolint:gochecknoglobals // SQLite's names of file systems are global as well
var registerTempFiles = sync.OnceFunc(func() {
	system, ok := vfs.Find("").(vfs.VFSFilename)
	if !ok {
		panic("SQLite's file system does not open files by their names") // a fault of the build
	}
	vfs.Register(vfsName, newTempFiles(system))
})

// tempFiles opens files of the system, and encrypts temporary ones, each with a key that is only in
// memory. SQLite writes rows to temporary files (to sort, for temporary tables, to undo a statement), and
// rows may hold credentials.
type tempFiles struct {
	vfs.VFSFilename

	enciphered vfs.VFSFilename
}

// newTempFiles makes the file system over another one.
func newTempFiles(system vfs.VFSFilename) *tempFiles {
	enciphered, ok := xts.Wrap(system, nil).(vfs.VFSFilename)
	if !ok {
		panic("SQLite's enciphered file system does not open files by their names") // a fault of the build
	}
	return &tempFiles{system, enciphered}
}

// OpenFilename opens a file. SQLite's temporary files have no name.
func (t *tempFiles) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == nil {
		return t.enciphered.OpenFilename(nil, flags)
	}
	return t.VFSFilename.OpenFilename(name, flags)
}
