// Package company holds the made-up data of Harbor Finch, a coffee roaster, in its workspaces and its
// account. It hides the source of every value and the consistency of references: the warehouse of a job's
// task is in the list of warehouses.
//
// Every value follows from a seed, the workspace and the resource's name, so nothing is stored and each
// part can be made without the rest. [Inventory] has the resources of all kinds: Lakebase's, those that a
// dataset describes, and, for all other documented kinds, resources from an [Inventor].
package company

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Company makes the values of one workspace, or of the account.
type Company struct {
	Seed      uint64 // determines all values
	Workspace string // its deployment name
	Scale     int    // how many projects, users, runs and tables there are beyond the company's own
	Account   string // its id; empty: it follows from the seed
	Host      string // of every endpoint; empty: each endpoint has another
	// Clock returns the time. Only the expiry of tokens depends on it. It may be nil if no token is made.
	Clock func() time.Time
	// Deployments are the workspaces that the account lists; nil in a workspace.
	Deployments *Deployments
}

// AccountID is the id of the account. All workspaces of a seed have the same.
func (co *Company) AccountID() string {
	if co.Account != "" {
		return co.Account
	}
	whole := Company{Seed: co.Seed}
	draw := whole.Draw("account")
	return draw.UUID()
}

// WorkspaceID is the id of the workspace.
func (co *Company) WorkspaceID() uint64 {
	draw := co.Draw("workspace")
	return 1_000_000_000_000_000 + draw.number()%9_000_000_000_000_000
}

// Draw starts the values that a name determines in this workspace.
func (co *Company) Draw(name string) *Draw {
	key := binary.BigEndian.AppendUint64(nil, co.Seed)
	key = append(append(append(key, co.Workspace...), 0), name...)
	return &Draw{state: sha256.Sum256(key)}
}

// dayOne is 2025-01-01T09:00:00Z. Nothing was made earlier.
const dayOne = 1_735_722_000

// Draw makes a series of values that look random.
type Draw struct {
	state [sha256.Size]byte
	used  int
}

func (d *Draw) number() uint64 {
	if d.used+8 > len(d.state) {
		d.state, d.used = sha256.Sum256(d.state[:]), 0
	}
	n := binary.BigEndian.Uint64(d.state[d.used:])
	d.used += 8
	return n
}

// Below returns a number from 0 to n-1; n is at most 2³¹.
func (d *Draw) Below(n int) int {
	return int(d.number() >> 33 % uint64(n)) //nolint:gosec // both fit: n is positive and the number has 31 bits
}

// UUID returns a UUID.
func (d *Draw) UUID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], d.number())
	binary.BigEndian.PutUint64(b[8:], d.number())
	return resource.FormatUUID(b)
}

// label returns a name as the service generates them: two words and a unique number.
func (d *Draw) label() string {
	manner := []string{"amber", "bold", "calm", "dusty", "early", "fresh", "gentle", "hazel", "keen", "lively", "mellow", "quiet", "round", "smoky", "still", "warm"}
	thing := []string{"bean", "brook", "cedar", "crema", "dune", "finch", "fjord", "grove", "harbor", "kettle", "lantern", "meadow", "quay", "ridge", "tide", "willow"}
	unique := binary.BigEndian.AppendUint64(nil, d.number())[:4]
	return manner[d.Below(len(manner))] + "-" + thing[d.Below(len(thing))] + "-" + hex.EncodeToString(unique)
}

// bytes returns a size from 8 MiB to about 64 GiB, small ones more often.
func (d *Draw) bytes() int64 { return int64(8<<20+d.Below(8<<20)) << d.Below(13) }

// times returns when a resource was created, in 2025, and when it last changed, within 90 days.
func (d *Draw) times() (made, changed time.Time) {
	made = time.Unix(dayOne+int64(d.Below(300*86_400)), 0).UTC()
	return made, made.Add(time.Duration(d.Below(90*86_400)) * time.Second)
}

// Title writes an id as a title: "Web shop" for web-shop.
func Title(id string) string {
	words := strings.ReplaceAll(id, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
