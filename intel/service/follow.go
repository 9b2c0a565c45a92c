package service

import (
	"fmt"
	"sync"
	"time"
)

const (
	// followEvery is how often the library is looked at for what other processes did
	// with it: commands on the same machine pull, import and remove feeds.
	followEvery = 5 * time.Second
	// maxStrangers bounds the feeds that are known though nobody configured them.
	maxStrangers = 1000
)

// fromUpload is the origin of what this process itself folds into the library.
const fromUpload = "upload"

// following is what is known of the library's own word.
type following struct {
	mu    sync.Mutex
	at    time.Time // of the last look
	stamp uint64
	known bool // the stamp is of what was taken over
	err   error
}

// follow takes over what the library knows better than this process: what others have
// booked. now asks for a look however soon it comes after the last one. An error is the
// library's, of the last look.
func (s *Service) follow(now bool) error {
	f := &s.following
	f.mu.Lock()
	defer f.mu.Unlock()
	if since := s.ports.Now().Sub(f.at); !now && since >= 0 && since < followEvery {
		return f.err
	}
	f.at = s.ports.Now()
	before := f.err
	if f.err = s.followOnce(f); f.err != nil && before == nil { // once for each outage
		s.log.Warn("what other processes did with feeds is not known", "error", f.err)
	}
	return f.err
}

func (s *Service) followOnce(f *following) error {
	stamp, err := s.ports.Library.Stamp()
	if err == nil && f.known && stamp == f.stamp {
		return nil
	}
	var list []Stored
	if err == nil {
		list, err = s.ports.Library.Feeds()
	}
	if f.known = err == nil; err != nil {
		return fmt.Errorf("looking at the library's feeds: %w", err)
	}
	f.stamp = stamp
	for _, x := range s.takeOver(list) {
		s.log.Info("another process has taken a feed", "feed", x.Name, "origin", x.Origin, "indicators", x.Indicators, "added", x.Last.Added,
			"changed", x.Last.Changed, "removed", x.Last.Removed, "refused", x.Last.Refused, "failures", x.Failures, "error", cut(x.Error))
	}
	return nil
}

// takeOver fits what is known to what is stored, which is in order of name, and gives
// what other processes have pulled or imported.
func (s *Service) takeOver(list []Stored) (news []*Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in, strangers := make(map[string]bool, len(list)), 0
	for i := range list {
		x := &list[i]
		e := s.feeds[x.Name]
		if e == nil || e.feed == nil {
			if strangers++; strangers > maxStrangers {
				continue
			}
			e = s.entry(x.Name)
		}
		in[x.Name] = true
		if e.takeOver(x) && x.Origin != fromUpload {
			news = append(news, x)
		}
	}
	for name, e := range s.feeds {
		switch {
		case in[name] || !e.stored:
		case e.feed == nil: // somebody has removed it
			delete(s.feeds, name)
		default:
			e.stored, e.last, e.damaged, e.broken = false, Report{}, nil, nil
		}
	}
	return news
}

// takeOver takes over what is newer than what this process knows, and reports whether
// that was a pull or an import.
func (e *entry) takeOver(x *Stored) bool {
	newer := x.Pulled > e.told && !e.running
	if e.feed == nil {
		e.restore(x)
		return newer
	}
	e.damaged, e.stored = x.Damaged, true
	if x.Pulled == 0 && len(x.Damaged) > 0 { // nothing else is known
		return false
	}
	e.good, e.news, e.origin = max(e.good, x.Good), max(e.news, x.Changed), x.Origin
	if newer {
		e.pulled, e.told, e.fails, e.err = x.Pulled, x.Pulled, x.Failures, x.Error
		e.last, e.skipped, e.broken, e.waiting = x.Last, nil, x.Broken, x.Waiting
		if e.pulls() && x.Due > 0 && x.Place == e.place {
			if e.retry = x.Due; !e.watched() {
				e.due = x.Due
			}
		}
	}
	e.last.Indicators, e.last.Expired = x.Indicators, x.Expired
	return newer
}
