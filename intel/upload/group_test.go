package upload

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestGroup sends requests at one time and wants each to be told of its own objects, and
// all that was accepted to be kept, in fewer writes than requests.
func TestGroup(t *testing.T) {
	h := newHandler(t, testConfig(t), &fakeChecker{})
	var mu sync.Mutex
	syncs, first := 0, make(chan struct{})
	h.journal.step = func(step string) {
		if step == "upload_synced" {
			mu.Lock()
			defer mu.Unlock()
			if syncs++; syncs == 1 {
				<-first
			}
		}
	}
	stop := run(t, h)
	var wg sync.WaitGroup
	const requests = 24
	answers := make([]*httptest.ResponseRecorder, requests)
	for i := range requests {
		source := "Acme TI"
		if i%2 == 1 {
			source = "Acme Labs"
		}
		wg.Go(func() { // the object at i%5 is refused by the checker, the last one by inspection
			var objects []string
			for n := range 5 {
				pattern := "[domain-name:value = 'bad.example']"
				if n == i%5 {
					pattern = "[refused:value = 1]"
				}
				objects = append(objects, indicator(i*5+n, pattern))
			}
			answers[i] = post(h, body(source, append(objects, "{}")...))
		})
	}
	for len(h.group.in) < requests-cap(h.group.in)/2 { // the first write waits until most have come
		runtime.Gosched()
	}
	close(first)
	wg.Wait()
	stop()
	if syncs > requests/2 {
		t.Errorf("%d syncs for %d requests", syncs, requests)
	}
	all := kept(t, h.journal)
	objects := 0
	for _, list := range all {
		for _, r := range list {
			objects += len(r.Objects)
		}
	}
	if len(all) != 2 || objects != requests*4 {
		t.Errorf("kept %d objects of %d feeds, want %d of 2", objects, len(all), requests*4)
	}
	for i, w := range answers {
		var got answer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if w.Code != http.StatusOK || len(got.Errors) != 2 || got.Errors[0].Index != i%5 || got.Errors[1].Index != 5 {
			t.Errorf("request %d: status %d, %s: want faults at %d and 5", i, w.Code, w.Body, i%5)
		}
	}
}

// TestPoison wants a request that cannot be understood to fail alone.
func TestPoison(t *testing.T) {
	h := newHandler(t, testConfig(t), &fakeChecker{})
	stop := run(t, h)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			value, want := "bad.example", http.StatusOK
			if i == 3 {
				value, want = "poison.example", http.StatusInternalServerError
			}
			if w := post(h, body("Acme TI", indicator(i, fmt.Sprintf("[domain-name:value = '%s']", value)))); w.Code != want {
				t.Errorf("request %d: status %d, want %d", i, w.Code, want)
			}
		})
	}
	wg.Wait()
	stop()
	if n := len(kept(t, h.journal)["upload-acme-ti"]); n != 4 {
		t.Errorf("%d kept, want 4", n)
	}
}

// TestNothingAcknowledged wants no success for what is not on disk: it cannot be
// checked, the disk does not take it, or the service has stopped.
func TestNothingAcknowledged(t *testing.T) {
	valid := body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']"))
	t.Run("checker fails", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeChecker{err: errors.New("disk is full")})
		defer run(t, h)()
		if w := post(h, valid); w.Code != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", w.Code)
		}
	})
	t.Run("checker's disk fails", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeChecker{err: &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}})
		defer run(t, h)()
		if w := post(h, valid); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "30" {
			t.Errorf("status %d, Retry-After %q, want 503 and 30", w.Code, w.Header().Get("Retry-After"))
		}
	})
	t.Run("no room", func(t *testing.T) {
		c := testConfig(t)
		c.MaxBytes, c.MaxWaiting = 1<<10, 4<<10
		h := newHandler(t, c, &fakeChecker{})
		defer run(t, h)()
		accepted := 0
		for ; accepted < 100; accepted++ {
			if w := post(h, valid); w.Code != http.StatusOK {
				if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "30" || !strings.Contains(w.Body.String(), "wait to be stored") {
					t.Errorf("status %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
				}
				break
			}
		}
		if n := len(kept(t, h.journal)["upload-acme-ti"]); n != accepted || n < 2 || n > 4 {
			t.Errorf("%d kept, %d accepted", n, accepted)
		}
		if w := post(h, valid); w.Code != http.StatusOK {
			t.Errorf("status %d when there is room again", w.Code)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeChecker{})
		defer run(t, h)()
		if err := os.WriteFile(h.journal.dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if w := post(h, valid); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "30" {
			t.Errorf("status %d, Retry-After %q, want 503 and 30", w.Code, w.Header().Get("Retry-After"))
		}
		if err := os.Remove(h.journal.dir); err != nil {
			t.Fatal(err)
		}
		if w := post(h, valid); w.Code != http.StatusOK {
			t.Errorf("status %d once it can be written, want 200", w.Code)
		}
	})
	t.Run("stopped before", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeChecker{})
		run(t, h)()
		if w := post(h, valid); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d, want 503 with Retry-After", w.Code)
		}
		if all := kept(t, h.journal); len(all) != 0 {
			t.Errorf("kept %v", all)
		}
	})
}

// TestTooManyAtOnce wants requests beyond the slots to be told to come again, not
// to pile up in memory.
func TestTooManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t)
		c.MaxRequests = 4
		h := newHandler(t, c, &fakeChecker{delay: time.Second})
		stop := run(t, h)
		var wg sync.WaitGroup
		var mu sync.Mutex
		codes := map[int]int{}
		for i := range 10 {
			wg.Go(func() {
				w := post(h, body("Acme TI", indicator(i, "[domain-name:value = 'bad.example']")))
				mu.Lock()
				defer mu.Unlock()
				codes[w.Code]++
			})
		}
		wg.Wait()
		stop()
		if codes[http.StatusOK] != 4 || codes[http.StatusServiceUnavailable] != 6 {
			t.Errorf("statuses %v, want 4 of 200 and 6 of 503", codes)
		}
	})
}

// TestPaceEdges wants the wait to be told in whole seconds, none too short.
func TestPaceEdges(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	p := new(pace)
	for range perMinute {
		if wait := p.take(start); wait != 0 {
			t.Fatalf("told to wait %d s", wait)
		}
	}
	for _, x := range []struct {
		after time.Duration
		want  int
	}{{0, 60}, {time.Millisecond, 60}, {500 * time.Millisecond, 60}, {time.Second, 59}, {58*time.Second + time.Millisecond, 2}, {59 * time.Second, 1},
		{time.Minute - time.Nanosecond, 1}, {-time.Hour, 60}, {time.Minute, 0}} {
		if got := p.take(start.Add(x.after)); got != x.want {
			t.Errorf("%s after the last: told to wait %d s, want %d", x.after, got, x.want)
		}
	}
}

// TestPace sends as fast as may be and wants 100 a minute, however the minute is cut.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t)
		h := newHandler(t, c, &fakeChecker{})
		stop := run(t, h)
		start := time.Now()
		var taken []time.Duration
		for time.Since(start) < 5*time.Minute {
			w := post(h, body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']")))
			switch w.Code {
			case http.StatusOK:
				taken = append(taken, time.Since(start))
				time.Sleep(100 * time.Millisecond)
			case http.StatusTooManyRequests:
				var a answer
				if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
					t.Fatal(err)
				}
				var wait int
				if n, err := fmt.Sscanf(a.Message, "Rate limit is exceeded. Try again in %d seconds.", &wait); n != 1 || err != nil || a.Status != 429 || w.Header().Get("Retry-After") != fmt.Sprint(wait) || wait < 1 || wait > 60 {
					t.Fatalf("answer %s with Retry-After %q", w.Body, w.Header().Get("Retry-After"))
				}
				time.Sleep(time.Duration(wait) * time.Second)
			default:
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
		}
		for i := perMinute; i < len(taken); i++ {
			if d := taken[i] - taken[i-perMinute]; d < time.Minute {
				t.Fatalf("requests %d and %d were taken within %s", i-perMinute, i, d)
			}
		}
		if len(taken) < 5*perMinute-perMinute/10 {
			t.Errorf("%d requests were taken in 5 minutes, want about %d: the wait that is told is too long", len(taken), 5*perMinute)
		}
		r := httptest.NewRequest(http.MethodPost, uploadPath, http.NoBody)
		r.Header.Set("Authorization", "Bearer other-token-of-made-up-letters")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code == http.StatusTooManyRequests {
			t.Error("one client's pace slows another")
		}
		stop()
	})
}
