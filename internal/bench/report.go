package main

import (
	"fmt"
	"slices"
	"time"
)

func heading() {
	fmt.Printf("%-38s %-16s %10s %21s %10s %7s %8s  %s\n", "", "command", "median", "range", "peak", "calls", "× floor", "aim")
}

// ratio is the median of how many times as long one took as the other, run by run.
func ratio(samples, floor []sample) string {
	ratios := make([]float64, len(samples))
	for i := range samples {
		ratios[i] = float64(samples[i].wall) / float64(floor[i].wall)
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%.2f", ratios[len(ratios)/2])
}

// report prints a line about the runs of a subject, with its ratio to the floor where it has one.
func report(s subject, command, ratio string, samples []sample) {
	slices.SortFunc(samples, func(a, b sample) int { return int(a.wall - b.wall) })
	var peak int64
	calls := 0
	for _, s := range samples {
		peak, calls = max(peak, s.peak), max(calls, s.calls)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
	fmt.Printf("%-38s %-16s %10s %21s %7.1f MB %7d %8s  %s\n", s.name, command, ms(samples[len(samples)/2].wall),
		ms(samples[0].wall)+" – "+ms(samples[len(samples)-1].wall), float64(peak)/1e6, calls, ratio, s.aim)
}
