package dispatch

import "sync/atomic"

// Activity counts the requests of a client while they are made. It may be read at any time.
type Activity struct {
	UnderWay atomic.Int64 // requests without an answer so far
	Answers  atomic.Int64 // answers so far, those that report an error included

	method atomic.Pointer[string]
}

// Method returns the full name of the method that was called last; empty before the first call.
func (a *Activity) Method() string {
	if name := a.method.Load(); name != nil {
		return *name
	}
	return ""
}

// begin counts a request. The returned function counts its answer, or only its end.
func (a *Activity) begin(req *Request) (end func(answered bool)) {
	if a == nil {
		return func(bool) {}
	}
	name := req.call.Method.FullName()
	a.method.Store(&name)
	a.UnderWay.Add(1)
	return func(answered bool) {
		a.UnderWay.Add(-1)
		if answered {
			a.Answers.Add(1)
		}
	}
}
