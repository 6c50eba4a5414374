package report

import (
	"fmt"
	"time"
)

// chart is the changes by day: bars that grow up for added and changed rows, and down for removed ones.
type chart struct {
	Bars    []bar
	Zero    float64 // where the bars begin, from above
	Width   float64
	Height  float64
	Top     string // the largest number, as the axis has it
	Bottom  string
	Labels  []string // of the first day, of days in between, and the last one
	Says    string
	Empty   bool
	First   string // rows that are no changes
	Ceiling float64
}

// bar is a day.
type bar struct {
	Date                       string
	X, Width                   float64
	AddedY, Added              float64
	ChangedY, Changed, Removed float64
	AddedN, ChangedN, RemovedN string
	FirstN                     string
	Ran                        bool
	Cut                        bool    // it is taller than the chart
	CutY                       float64 // where that is marked
	Says                       string
}

const (
	chartWidth  = 600.0
	chartHeight = 160.0
	// steep is how many times the second tallest bar may be exceeded, before the tallest is cut.
	steep = 4
)

// daySum is the changes of a day.
type daySum struct{ added, changed, removed, first int64 }

func (d *drawing) chart() (c chart) {
	sums := map[string]daySum{}
	var total daySum
	for _, day := range d.Days {
		s := sums[day.Date]
		sums[day.Date] = daySum{s.added + day.Added, s.changed + day.Changed, s.removed + day.Removed, s.first + day.First}
		total = daySum{total.added + day.Added, total.changed + day.Changed, total.removed + day.Removed, total.first + day.First}
	}
	today := d.Now.UTC().Truncate(24 * time.Hour)
	var dates []time.Time
	for i := range daysShown {
		dates = append(dates, today.AddDate(0, 0, i+1-daysShown))
	}
	up, down := ceiling(dates, sums, func(s daySum) int64 { return s.added + s.changed }), ceiling(dates, sums, func(s daySum) int64 { return s.removed })
	c = chart{Width: chartWidth, Height: chartHeight, Top: "+" + number(up), Bottom: "−" + number(down), Empty: total.added+total.changed+total.removed == 0}
	if down == 0 {
		c.Bottom = ""
	}
	const pad = 4
	scale := (chartHeight - 2*pad) / float64(max(up+down, 1))
	c.Zero = round(pad + float64(up)*scale)
	step := chartWidth / daysShown
	for i, date := range dates {
		name := date.Format(time.DateOnly)
		s := sums[name]
		b := bar{
			Date: date.Format("2 Jan"), X: round(float64(i)*step + step*0.12), Width: round(step * 0.76), Ran: d.Ran[name] > 0,
			AddedN: number(s.added), ChangedN: number(s.changed), RemovedN: number(s.removed), FirstN: number(s.first),
		}
		added, changed, removed := float64(s.added), float64(s.changed), float64(s.removed)
		if high := added + changed; high > float64(up) { // each part keeps its share
			added, changed, b.Cut = added*float64(up)/high, changed*float64(up)/high, true
			b.CutY = 10
		}
		if removed > float64(down) {
			removed, b.Cut, b.CutY = float64(down), true, chartHeight-12
		}
		b.Added, b.Changed, b.Removed = tall(added*scale), tall(changed*scale), tall(removed*scale)
		b.AddedY = round(c.Zero - b.Added)
		b.ChangedY = round(b.AddedY - b.Changed)
		b.Says = fmt.Sprintf("%s: %s added, %s changed, %s removed", b.Date, b.AddedN, b.ChangedN, b.RemovedN)
		if !b.Ran {
			b.Says += "; no run began"
		}
		c.Bars = append(c.Bars, b)
	}
	for i := 0; i < daysShown; i += 7 {
		c.Labels = append(c.Labels, dates[i].Format("2 Jan"))
	}
	c.Labels = append(c.Labels, today.Format("2 Jan"))
	c.Says = fmt.Sprintf("%s added, %s changed, and %s removed in the last %d days", count(total.added, "row"), number(total.changed), number(total.removed), daysShown)
	if total.first > 0 {
		c.First = count(total.first, "row")
	}
	return c
}

// ceiling is the number that the chart is tall enough for: the largest, unless it dwarfs all others.
func ceiling(dates []time.Time, sums map[string]daySum, of func(daySum) int64) int64 {
	var first, second int64
	for _, date := range dates {
		switch n := of(sums[date.Format(time.DateOnly)]); {
		case n > first:
			first, second = n, first
		case n > second:
			second = n
		}
	}
	if second > 0 && first > steep*second {
		return second + second/2 + 1
	}
	return first
}

// tall is the height of a bar: what is there can be seen.
func tall(h float64) float64 {
	if h > 0 && h < 1.5 {
		return 1.5
	}
	return round(h)
}

// round keeps two decimals, so that the same numbers are the same text everywhere.
func round(f float64) float64 { return float64(int64(f*100+0.5)) / 100 }
