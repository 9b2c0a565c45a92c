package chdb

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// ClickHouse error codes that this package answers or maps to an HTTP status.
const (
	codeSyntaxError          = 62
	codeAuthenticationFailed = 516
	codeNotImplemented       = 48
	codeBadArguments         = 36
	codeUnknownException     = 1002
)

// exception is an error of the engine, in ClickHouse's own terms.
type exception struct {
	code int
	text string // whole message, starting with "Code: N. DB::Exception: "
}

func (e *exception) Error() string { return e.text }

func newException(code int, name, format string, args ...any) *exception {
	return &exception{code: code, text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, fmt.Sprintf(format, args...), name)}
}

var codeRE = regexp.MustCompile(`Code: (\d+)\.`)

// parseException reads the code out of an engine message.
func parseException(msg string) *exception {
	msg = strings.TrimSpace(msg)
	if m := codeRE.FindStringSubmatchIndex(msg); m != nil {
		if code, err := strconv.Atoi(msg[m[2]:m[3]]); err == nil && code > 0 {
			return &exception{code: code, text: msg[m[0]:]}
		}
	}
	return newException(codeUnknownException, "UNKNOWN_EXCEPTION", "%s", msg)
}

// asException makes any error presentable to a ClickHouse client.
func asException(err error) *exception {
	if e, ok := err.(*exception); ok {
		return e
	}
	return newException(codeUnknownException, "UNKNOWN_EXCEPTION", "%v", err)
}

// status is the HTTP status for an exception, as ClickHouse chooses it for the
// common codes: 403 for access, 404 for what does not exist, 400 for what
// cannot be understood, 501 for what is not implemented, else 500.
func (e *exception) status() int {
	switch e.code {
	case 192, 193, 194, 497, codeAuthenticationFailed:
		return http.StatusForbidden
	case 16, 46, 47, 60, 81:
		return http.StatusNotFound
	case 6, 26, 27, 33, codeBadArguments, 38, 41, 43, 53, codeSyntaxError, 69, 72, 115, 117, 457:
		return http.StatusBadRequest
	case codeNotImplemented:
		return http.StatusNotImplemented
	}
	return http.StatusInternalServerError
}
