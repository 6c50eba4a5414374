package provider

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	e := Usagef("%s is wrong", Quote("100%")).At(Position{Line: 2, Column: 3}).In("claims", "claims", 0).Hintf("leave %s out", "it").Because(cause)
	want := Error{Code: Usage, Message: `"100%" is wrong`, Position: Position{Line: 2, Column: 3}, Arg: "claims", Path: Path{"claims", 0}, Hint: "leave it out", Err: cause}
	if !reflect.DeepEqual(*e, want) {
		t.Errorf("made %+v, want %+v", *e, want)
	}
	changed := Change(fmt.Errorf("wrapped: %w", e), func(e *Error) { e.Message = "row 1: " + e.Message })
	if got := changed.Error(); got != `line 2, column 3: row 1: "100%" is wrong` || e.Message != want.Message {
		t.Errorf("changed to %q, the first says %q", got, e.Message)
	}
	if got := Change(cause, func(e *Error) { e.Message = "" }); got != cause { //nolint:errorlint // the same one
		t.Errorf("an error of another kind became %v", got)
	}
	if got := Copy(cause, Network); got.Code != Network || got.Message != "cause" || !errors.Is(got, cause) {
		t.Errorf("a copy of an error of another kind is %+v", got)
	}
	if got := At(e, Position{Line: 9}); got != error(e) { //nolint:errorlint // the same one
		t.Errorf("an error that has a place became %v", got)
	}
}
