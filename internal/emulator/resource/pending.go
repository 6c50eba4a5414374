package resource

import (
	"maps"
	"time"
)

// Attributes of a record that changes at a time. Nothing runs in the meantime: readers call
// [Settled]. The names are none of the API's, so no answer shows them.
const (
	DueField  = "\x00due"  // a time.Time
	ThenField = "\x00then" // a [Record] with the attributes that change at that time
)

// Pending copies a record and lets it take on other attributes at a time.
func Pending(r, then Record, due time.Time) Record {
	r = maps.Clone(r)
	r[DueField], r[ThenField] = due, then
	return r
}

// Settled returns a record as it is at a time: with the attributes of every [Pending] change that
// is due.
func Settled(r Record, now time.Time) Record {
	due, ok := r[DueField].(time.Time)
	if !ok || now.Before(due) {
		return r
	}
	then, _ := r[ThenField].(Record)
	r = maps.Clone(r)
	delete(r, DueField)
	delete(r, ThenField)
	maps.Copy(r, then)
	return Settled(r, now)
}
