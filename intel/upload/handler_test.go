package upload

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the golden files")

// TestRequests sends every request of testdata/requests.json and compares what is
// answered and what was written down with testdata/answers.txt.
func TestRequests(t *testing.T) {
	text, err := os.ReadFile("testdata/requests.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Method, Path, Body string
		Headers                  map[string]string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	c := testConfig(t)
	var got bytes.Buffer
	for _, x := range cases {
		h := newHandler(t, c, &fakeChecker{})
		stop := run(t, h)
		r := httptest.NewRequest(x.Method, x.Path, strings.NewReader(x.Body))
		for k, v := range x.Headers {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		stop()
		fmt.Fprintf(&got, "== %s\n%d", x.Name, w.Code)
		for _, k := range []string{"Allow", "Content-Type", "Retry-After", "Www-Authenticate"} {
			if v := w.Header().Get(k); v != "" {
				fmt.Fprintf(&got, " %s=%q", k, v)
			}
		}
		fmt.Fprintln(&got)
		if w.Body.Len() > 0 {
			if err := json.Indent(&got, w.Body.Bytes(), "", " "); err != nil {
				t.Errorf("%s: answer is not JSON: %v", x.Name, err)
			}
			fmt.Fprintln(&got)
		}
		for _, list := range kept(t, h.journal) {
			for _, r := range list {
				fmt.Fprintf(&got, "-> %s of %q: %d objects\n", r.Feed.Name, r.Feed.Tenant, len(r.Objects))
			}
		}
		if n := counted(t, h, "interdict_upload_requests_total", code(w.Code)); n != 1 {
			t.Errorf("%s: %v requests counted with status %d, want 1", x.Name, n, w.Code)
		}
	}
	const golden = "testdata/answers.txt"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("answers differ from %s (-update writes it):\n%s", golden, got.Bytes())
	}
}

// TestSizes wants the limits of the contract and of the configuration to hold at
// their edges.
func TestSizes(t *testing.T) {
	c := testConfig(t)
	h := newHandler(t, c, &fakeChecker{})
	defer run(t, h)()
	many := func(n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = indicator(i, "[domain-name:value = 'bad.example']")
		}
		return body("Acme TI", list...)
	}
	long := func(n int) string {
		text := body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']"))
		return text + strings.Repeat(" ", n-len(text))
	}
	for _, x := range []struct {
		name, body  string
		want, taken int
	}{
		{"100 objects", many(100), 200, 100},
		{"101 objects", many(101), 400, 0},
		{"as long as may be", long(int(c.MaxBytes)), 200, 1},
		{"one byte longer", long(int(c.MaxBytes) + 1), 413, 0},
		{"many objects of no size", `{"sourcesystem":"Acme TI","stixobjects":[` + strings.Repeat("0,", 30000) + `0]}`, 400, 0},
		{"deep", `{"sourcesystem":"Acme TI","stixobjects":[` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `]}`, 400, 0},
	} {
		before := counted(t, h, "interdict_upload_objects_total", "taken")
		w := post(h, x.body)
		if w.Code != x.want {
			t.Errorf("%s: status %d (%s), want %d", x.name, w.Code, w.Body, x.want)
		}
		if n := counted(t, h, "interdict_upload_objects_total", "taken") - before; int(n) != x.taken {
			t.Errorf("%s: %v objects counted as taken, want %d", x.name, n, x.taken)
		}
	}
}

// TestObjectsUntouched wants the journal to keep an object as it was sent, but for space
// between its parts.
func TestObjectsUntouched(t *testing.T) {
	h := newHandler(t, testConfig(t), &fakeChecker{})
	defer run(t, h)()
	more := `"x_unknown":[1.0,{"a":"\u0041<&>\u2028 ` + "\u2028" + `"}],`
	object := strings.Replace(indicator(1, "[domain-name:value = 'bad.example']"), `"type"`, more+`"type"`, 1)
	for range 2 { // a retry looks the same
		if w := post(h, body("Acme TI", strings.Replace(object, `1.0,`, "1.0 ,\n\t", 1))); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Fatalf("status %d, body %q", w.Code, w.Body)
		}
	}
	list := kept(t, h.journal)["upload-acme-ti"]
	if len(list) != 2 {
		t.Fatalf("%d kept, want 2", len(list))
	}
	for _, r := range list {
		if len(r.Objects) != 1 || string(r.Objects[0]) != object {
			t.Errorf("kept %s, want %s", r.Objects, object)
		}
	}
}

func TestAnonymous(t *testing.T) {
	c := testConfig(t)
	c.Anonymous = true
	c.Clients = append(c.Clients, Client{Sources: []string{"Local TI"}})
	h := newHandler(t, c, &fakeChecker{})
	defer run(t, h)()
	for _, x := range []struct {
		host, authorization, source string
		want                        int
	}{
		{"127.0.0.1:9000", "", "Local TI", 200},
		{"localhost:9000", "", "Local TI", 200},
		{"[::1]:9000", "", "Local TI", 200},
		{"[::1]", "", "Local TI", 200},
		{"attacker.example:9000", "", "Local TI", 403},
		{"127.0.0.1:9000", "", "Acme TI", 403},
		{"127.0.0.1:9000", "Bearer x", "Local TI", 401},
		{"127.0.0.1:9000", "Bearer ", "Local TI", 401},
		{"127.0.0.1:9000", "Bearer " + acmeToken, "Local TI", 403},
		{"127.0.0.1:9000", "Bearer " + acmeToken, "Acme TI", 200},
	} {
		r := httptest.NewRequest(http.MethodPost, uploadPath, strings.NewReader(body(x.source, indicator(1, "[domain-name:value = 'bad.example']"))))
		r.Host = x.host
		r.Header.Set("Content-Type", "application/json")
		if x.authorization != "" {
			r.Header.Set("Authorization", x.authorization)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != x.want {
			t.Errorf("host %s, authorization %q, source %s: status %d (%s), want %d", x.host, x.authorization, x.source, w.Code, w.Body, x.want)
		}
	}
}

// counted gives a counter of the handler, of the label's value.
func counted(t *testing.T, h *Handler, name, label string) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(h.Collectors()...)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
