package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// answer is a response and what ends it.
type answer struct {
	*http.Response
	ctx  context.Context
	stop context.CancelCauseFunc
}

// ask gets a URL under a context of its own, which a stalled body ends. The caller
// ends the answer through text or drop.
func (s *session) ask(ctx context.Context, u *url.URL, header http.Header) (*answer, error) {
	ctx, stop := context.WithCancelCause(ctx)
	resp, err := s.get(ctx, stop, u, header)
	if err != nil {
		stop(nil)
		return nil, err
	}
	return &answer{Response: resp, ctx: ctx, stop: stop}, nil
}

func (a *answer) drop() {
	a.Body.Close()
	a.stop(nil)
}

// refuse makes the error of an answer that has not what was asked for, and ends it.
func (a *answer) refuse(s *session, u *url.URL, why string) error {
	said := ""
	if a.Header.Get("Content-Encoding") == "" {
		said = s.said(newPatient(a.Body, s.c.cfg.Idle, a.stop))
	}
	a.drop()
	text := fmt.Sprintf("%s: status %d", show(u), a.StatusCode)
	if why != "" {
		text += ", " + why
	}
	if said != "" {
		text += fmt.Sprintf(": the server says %q", said)
	}
	return refused(a.Response, s.c.cfg.Now(), errors.New(text))
}

// why says what a status means for a feed.
func why(code int) string {
	switch code {
	case http.StatusUnauthorized:
		return "the credentials are missing or wrong"
	case http.StatusForbidden:
		return "the credentials do not suffice"
	case http.StatusNotFound, http.StatusGone:
		return "there is nothing at this address"
	case http.StatusTooManyRequests:
		return "too many requests"
	}
	return ""
}

// conditional asks for what changed since the last pull.
func (p *pull) conditional() http.Header {
	h := http.Header{}
	if p.old.ETag != "" {
		h.Set("If-None-Match", p.old.ETag)
	}
	if p.old.Modified != "" {
		h.Set("If-Modified-Since", p.old.Modified)
	}
	return h
}

// remember keeps what conditional needs. A date alone that is of just now may be that
// of the next change too, within the same second, and is not kept.
func (st *state) remember(h http.Header, now time.Time) {
	st.ETag, st.Modified = validator(h.Get("ETag")), validator(h.Get("Last-Modified"))
	if st.ETag != "" {
		return
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // by the server's own clock
	}
	if modified, err := http.ParseTime(st.Modified); err == nil && now.Sub(modified) < settled {
		st.Modified = ""
	}
}

// askChanged asks for what may be as it was. The answer is then set only if it has
// changed: otherwise the pull's result says so.
func (p *pull) askChanged(ctx context.Context, s *session, u *url.URL, accept string) (*answer, error) {
	header := p.conditional()
	asked := len(header) > 0
	header.Set("Accept", accept)
	a, err := s.ask(ctx, u, header)
	if err != nil {
		return nil, err
	}
	if a.StatusCode == http.StatusNotModified && asked {
		a.drop()
		p.result.NotModified = true
		return nil, nil
	}
	if a.StatusCode != http.StatusOK {
		return nil, a.refuse(s, u, why(a.StatusCode))
	}
	return a, nil
}

func (p *pull) http(ctx context.Context, s *session) error {
	u := s.origin
	a, err := p.askChanged(ctx, s, u, "*/*")
	if err != nil || p.result.NotModified {
		return err
	}
	name := path.Base(u.Path)
	if name == "/" || name == "." {
		name = u.Hostname()
	}
	b, end, err := a.text(p.c.cfg.Idle, p.room)
	defer end()
	if err != nil {
		return fmt.Errorf("%s: %w", show(u), err)
	}
	if err := p.part(fact.Part{Name: name, Format: p.f.Format}, b); err != nil {
		return fmt.Errorf("%s: %w", show(u), err)
	}
	p.next.remember(a.Header, p.c.cfg.Now())
	return nil
}
