package pipeline

import (
	"testing"
	"time"
)

// TestLongestTimeBetweenRuns: a schedule that rests at night or on weekends has longer times than those between most
// of its runs, whichever day it is.
func TestLongestTimeBetweenRuns(t *testing.T) {
	t.Parallel()
	for schedule, want := range map[string]time.Duration{
		"0 6 * * *": 24 * time.Hour, "0 * * * *": time.Hour, "0 6 * * 1-5": 72 * time.Hour, "*/15 8-18 * * 1-5": 61*time.Hour + 15*time.Minute,
		"0 6 * * 1": 7 * 24 * time.Hour, "0 6 1 * *": 31 * 24 * time.Hour, "* * * * *": time.Minute, "0 1,2 * * *": 23 * time.Hour,
	} {
		d := Definition{Schedule: schedule}
		for day := range 9 {
			if got, err := d.longest(time.Date(2026, 11, 20+day, 12, 0, 0, 0, time.UTC)); err != nil || got != want {
				t.Errorf("%s from day %d on: %v, %v; want %v", schedule, day, got, err, want)
			}
		}
	}
	if got := (&Schedule{Cron: "never"}).longest(time.Now()); got != 0 {
		t.Errorf("an invalid schedule: %v", got)
	}
}
