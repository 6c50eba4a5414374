package provider

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// Recover makes an error of a panic, so that it ends the statement and not the program: defer it
// with the result of a function.
//
//	func (s *session) run() (err error) {
//		defer provider.Recover(&err)
func Recover(err *error) {
	if fault := recover(); fault != nil {
		*err = Fault(fault)
	}
}

// Fault is the error to report for a panic, a fault of lakeql itself. fault is what recover has
// returned; call it in the deferred function that has recovered.
func Fault(fault any) *Error {
	cause, _ := fault.(error)
	return Internalf("a fault of lakeql ended the statement: %s", Printable(fmt.Sprint(fault))).
		Hintf("report it with this place: %s", faultAt(string(debug.Stack()))).
		Because(cause)
}

// faultAt finds in the stack where a panic began: file and line of the frame below that of panic.
func faultAt(stack string) string {
	_, below, _ := strings.Cut(stack, "\npanic(")
	lines := strings.Split(below, "\n")
	for i := 2; i+1 < len(lines); i += 2 {
		if !strings.HasPrefix(lines[i], "runtime.") { // such as runtime.goPanicIndex
			file, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
			return file[strings.LastIndex(file, "/")+1:]
		}
	}
	return "unknown"
}
