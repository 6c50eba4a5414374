package emulator

import (
	"math"
	"sync"
	"time"
)

// limiter is a token bucket for one second's worth of requests, and at least one.
type limiter struct {
	rate  float64 // calls a second
	clock func() time.Time

	mu     sync.Mutex
	tokens float64
	filled time.Time
}

func newLimiter(rate float64, clock func() time.Time) *limiter {
	return &limiter{rate: rate, clock: clock, tokens: max(rate, 1), filled: clock()}
}

// take lets a request pass, or returns how long to wait in whole seconds, the unit of Retry-After.
func (l *limiter) take() (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if passed := now.Sub(l.filled); passed > 0 {
		l.tokens = min(max(l.rate, 1), l.tokens+passed.Seconds()*l.rate)
		l.filled = now
	}
	if l.tokens >= 1 {
		l.tokens--
		return 0, true
	}
	return time.Duration(math.Ceil((1-l.tokens)/l.rate)) * time.Second, false
}
