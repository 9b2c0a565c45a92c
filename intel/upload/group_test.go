package upload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestGroupCommit sends requests at one time and wants one commit for each feed,
// and each request told of its own objects.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lib := &fakeLibrary{}
		h := newHandler(t, testConfig(t), lib)
		stop := run(t, h)
		var wg sync.WaitGroup
		const requests = 24
		answers := make([]*httptest.ResponseRecorder, requests)
		for i := range requests {
			source := "Acme TI"
			if i%2 == 1 {
				source = "Acme Labs"
			}
			wg.Go(func() { // the object at i%5 is refused by the library, the last one by inspection
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
		wg.Wait()
		stop()
		calls := lib.seen()
		if len(calls) != 2 || len(calls[0].objects)+len(calls[1].objects) != requests*4 {
			t.Fatalf("%d commits of %v, want 2 of %d objects", len(calls), calls, requests*4)
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
	})
}

// TestGroupWhileCommitting wants what comes during a commit to be one commit after it.
func TestGroupWhileCommitting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lib := &fakeLibrary{delay: 2 * time.Second}
		h := newHandler(t, testConfig(t), lib)
		stop := run(t, h)
		var wg sync.WaitGroup
		for i := range 11 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				if w := post(h, body("Acme TI", indicator(i, "[domain-name:value = 'bad.example']"))); w.Code != http.StatusOK {
					t.Errorf("request %d: status %d", i, w.Code)
				}
			})
		}
		wg.Wait()
		stop()
		if n := len(lib.seen()); n != 2 {
			t.Errorf("%d commits, want 2", n)
		}
	})
}

// TestPoison wants a request that the library cannot take to fail alone.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lib := &fakeLibrary{}
		h := newHandler(t, testConfig(t), lib)
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
	})
}

// TestNothingAcknowledged wants no success for what is not committed: the library
// fails, or the service stops during the commit or before it.
func TestNothingAcknowledged(t *testing.T) {
	valid := body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']"))
	t.Run("library fails", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeLibrary{err: errors.New("disk is full")})
		defer run(t, h)()
		if w := post(h, valid); w.Code != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", w.Code)
		}
	})
	t.Run("stopped before", func(t *testing.T) {
		h := newHandler(t, testConfig(t), &fakeLibrary{})
		run(t, h)()
		if w := post(h, valid); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("status %d, want 503 with Retry-After", w.Code)
		}
	})
	t.Run("stopped in the middle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			lib := &fakeLibrary{delay: time.Hour}
			h := newHandler(t, testConfig(t), lib)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			go h.Run(ctx)
			if w := post(h, valid); w.Code != http.StatusServiceUnavailable {
				t.Errorf("status %d, want 503", w.Code)
			}
			if n := len(lib.seen()); n != 0 {
				t.Errorf("%d commits", n)
			}
		})
	})
}

// TestTooManyAtOnce wants requests beyond the slots to be told to come again, not
// to pile up in memory.
func TestTooManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testConfig(t)
		c.MaxRequests = 4
		h := newHandler(t, c, &fakeLibrary{delay: time.Second})
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
		c.Window = 0
		h := newHandler(t, c, &fakeLibrary{})
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
