package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sage/httpapi/api"
)

// Error is what Sage refused, in its own words. Ask for its code with IsCode.
type Error struct {
	api.Problem
	// RetryAfter is how long to wait before another try; zero where waiting does
	// not help.
	RetryAfter time.Duration
}

// Error is the detail, and every single mistake where there are several.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if len(e.Errors) == 1 && e.Errors[0].Message == text {
		return text
	}
	var b strings.Builder
	b.WriteString(text)
	for _, m := range e.Errors {
		b.WriteString("\n  ")
		if m.Location != "" {
			b.WriteString(m.Location + ": ")
		}
		b.WriteString(m.Message)
	}
	return b.String()
}

// UnreachableError says that nothing answered.
type UnreachableError struct {
	// Base is the address that was tried.
	Base string
	// Err is why.
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no sage answers at %s: %v", e.Base, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// errFollowEnded is why Follow ends where there is no other reason.
var errFollowEnded = errors.New("it has ended the stream of events: it goes down")

// IsCode tells whether err is an *Error with that code, one of the Code
// constants.
func IsCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// refusal makes an Error of an answer that is none of success. Not every
// refusal is Sage's: a proxy may stand before it.
func refusal(resp *http.Response, body []byte) error {
	e := &Error{}
	if err := json.Unmarshal(body, &e.Problem); err != nil || e.Code == "" {
		e.Problem = api.Problem{
			Type: "about:blank", Title: http.StatusText(resp.StatusCode), Status: resp.StatusCode, Code: CodeForeign,
			Detail: fmt.Sprintf("%s answered %s without saying why: is a sage there?", resp.Request.URL.Host, resp.Status),
		}
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

func invalidUID(uid string) error {
	return &Error{Problem: api.Problem{
		Type: "about:blank", Title: "Not a valid uid", Status: http.StatusUnprocessableEntity, Code: CodeInvalidUID,
		Detail: fmt.Sprintf("uid %q cannot name a desktop: use letters, digits, '-', '_' and '.'", uid),
	}}
}
