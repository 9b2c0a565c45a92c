package fetch

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// failure carries what a caller that schedules pulls must know of an error.
type failure struct {
	err       error
	permanent bool
	at        time.Time
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func permanent(err error) error { return &failure{err: err, permanent: true} }

// Permanent reports whether an error of Pull stays until somebody changes the
// feed's configuration, its credentials or its server. It is worth trying again,
// but not soon.
func Permanent(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.permanent
}

// RetryAt gives the time before which the server does not want to be asked again,
// if it said one: at most a day ahead.
func RetryAt(err error) (time.Time, bool) {
	f, ok := errors.AsType[*failure](err)
	if !ok || f.at.IsZero() {
		return time.Time{}, false
	}
	return f.at, true
}

// yieldError is an error of who takes the parts.
type yieldError struct{ error }

func (e *yieldError) Unwrap() error { return e.error }

type partError struct{ error }

func (e *partError) Unwrap() error { return e.error }

// BadPart makes of an error of yield one that is about the part alone. Of a folder the
// other files are taken all the same: see Result.Broken.
func BadPart(err error) error { return &partError{err} }

const longestWait = 24 * time.Hour

// refused makes the error of a response that is not what was asked for.
func refused(r *http.Response, now time.Time, err error) error {
	f := &failure{err: err}
	switch code := r.StatusCode; code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		f.at = retryAfter(r.Header.Get("Retry-After"), now)
	case http.StatusRequestTimeout, http.StatusTooEarly:
	default:
		f.permanent = code >= 200 && code < 500
	}
	return f
}

// retryAfter reads seconds or a date; the zero time if it is neither.
func retryAfter(text string, now time.Time) time.Time {
	var at time.Time
	if seconds, err := strconv.ParseUint(text, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) { // the largest then
		at = now.Add(time.Duration(min(seconds, uint64(longestWait/time.Second))) * time.Second)
	} else if date, err := http.ParseTime(text); err == nil {
		at = date
	} else {
		return time.Time{}
	}
	if at.Before(now) {
		return now
	}
	if last := now.Add(longestWait); at.After(last) {
		return last
	}
	return at
}
