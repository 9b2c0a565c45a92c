// Package interdict_test checks what the compiler does not: which package may
// import which, which modules are used at all and why, what files a stage has,
// and the few habits the code depends on (no init, no mutable package state, no
// exits below main, no silent skips). It reads syntax only, so it is fast and
// needs none of the code to compile.
package interdict_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/interdict/interdict"

// Limits on the size of a file, in lines.
const (
	maxLines  = 800
	maxMedian = 200
)

// topFolders are the folders of the repository that hold files of ours; docs/adr/0001
// says what each is for.
var topFolders = [...]string{"bench", "cmd", "console", "deploy", "docs", "intel", "pipeline", "schema", "stages", "store"}

// mayImport gives, for a folder, the folders of ours that its files may import, and
// those that its tests may besides. The longest key that is the folder or a parent
// of it counts; a folder without one is an error. "=" before a name leaves out what
// is below it. What is not listed points up or sideways. cmd -> console, pipeline,
// intel, store -> stages -> schema.
var mayImport = map[string]struct{ code, tests []string }{
	"schema":                   {code: []string{"schema/ocsf"}},
	"schema/ocsf":              {},
	"stages":                   {code: []string{"=schema", "=stages"}, tests: []string{"stages/stagetest"}},
	"stages/normalize":         {code: []string{"=schema", "=stages", "stages/normalize"}, tests: []string{"stages/stagetest", "schema/ocsf"}},
	"stages/normalize/arena":   {},
	"stages/normalize/canon":   {code: []string{"=schema", "stages/normalize/arena"}},
	"stages/normalize/extract": {code: []string{"=schema", "stages/normalize/arena"}},
	"stages/normalize/syntax":  {code: []string{"=schema", "stages/normalize/arena", "stages/normalize/extract"}},
	"stages/normalize/mapping": {code: []string{"=schema", "stages/normalize/arena", "stages/normalize/canon", "stages/normalize/extract"}},
	"stages/normalize/formats": {},
	"intel":                    {code: []string{"schema", "stages", "intel"}},
	"intel/fact":               {code: []string{"=schema"}},
	"intel/parse":              {code: []string{"=schema", "intel/fact", "intel/internal/vector", "stages/match", "stages/normalize/canon"}},
	"intel/fetch":              {code: []string{"=schema", "intel/fact"}},
	"intel/distribute":         {code: []string{"=schema", "=stages", "stages/match"}, tests: []string{"pipeline/kafka"}},
	"intel/library":            {code: []string{"=schema", "intel/fact", "intel/internal/vector", "stages/match"}, tests: []string{"intel/parse"}},
	"intel/upload":             {code: []string{"=schema", "intel/fact"}},
	"intel/service":            {code: []string{"=schema", "intel/fact", "intel/fetch", "intel/parse", "intel/library", "intel/upload"}},
	"store":                    {code: []string{"schema", "stages"}, tests: []string{"store/chdb"}},
	"store/chdb":               {},
	"pipeline":                 {code: []string{"schema", "stages"}, tests: []string{"bench/gen"}},
	"pipeline/kafka":           {code: []string{"schema", "=stages", "=pipeline"}},
	"console":                  {code: []string{"schema", "stages"}},
	"deploy":                   {},
	"cmd":                      {code: []string{"schema", "stages", "intel", "store", "pipeline", "console", "bench", "deploy", "cmd"}},
	"bench":                    {code: []string{"schema", "stages", "intel", "store", "pipeline", "bench"}},
	"bench/gen":                {},
	"bench/oracle":             {code: []string{"=schema"}, tests: []string{"stages", "pipeline", "bench/gen"}},
}

// testOnly are packages of ours that only tests may import.
var testOnly = []string{"stages/stagetest"}

// confined are modules (or parts of one) that only some folders may import: what
// a folder hides, the rest of the program must not see.
var confined = map[string][]string{
	"github.com/twmb/franz-go":         {"pipeline/kafka", "bench/e2e"},
	"github.com/ClickHouse":            {"store"},
	"github.com/ebitengine/purego":     {"store/chdb"},
	"github.com/alecthomas/kong":       {"cmd"},
	"github.com/goccy/go-yaml":         {"cmd", "stages/disrupt", "*_test.go"},
	"github.com/knadh/koanf":           {"cmd"},
	"cel.dev/cel-go":                   {"stages/disrupt"},
	"github.com/bufbuild/protocompile": {"schema"},
	"pgregory.net/rapid":               {"*_test.go"},
	"go.uber.org/goleak":               {"*_test.go"},
}

// allowed are the modules that may be imported, each with the reason for which it
// is not written here. A module that nothing imports must leave the list.
var allowed = map[string]string{
	"cel.dev/cel-go":                         "policy conditions: a typed expression language without loops, with a cost limit",
	"github.com/ClickHouse/ch-go":            "ClickHouse column and compression formats, which clickhouse-go is built on",
	"github.com/ClickHouse/clickhouse-go/v2": "the ClickHouse client",
	"github.com/alecthomas/kong":             "the command line",
	"github.com/bits-and-blooms/bloom/v3":    "the filter in front of the indicator table",
	"github.com/bufbuild/protocompile":       "reads interdict.proto in tests, so that the codec is checked against the contract",
	"github.com/ebitengine/purego":           "calls libchdb without cgo",
	"github.com/gaissmai/bart":               "prefix table for networks",
	"github.com/goccy/go-yaml":               "strict YAML with line and column in errors",
	"github.com/google/uuid":                 "UUIDv5 and its text form",
	"github.com/hashicorp/golang-lru/v2":     "bounded caches",
	"github.com/klauspost/compress":          "zstd, and gzip faster than the standard library's",
	"github.com/knadh/koanf":                 "environment over file",
	"github.com/prometheus/client_golang":    "metrics and their exposition",
	"github.com/shopspring/decimal":          "tests: what clickhouse-go reads Decimal columns as",
	"github.com/segmentio/encoding":          "JSON tokens without allocation",
	"github.com/twmb/franz-go":               "the Kafka client; with kadm, kmsg, kprom and kfake",
	"github.com/zeebo/xxh3":                  "the hash of snapshots, contents and indicator tables",
	"go.uber.org/goleak":                     "tests: no goroutine survives them",
	"go.yaml.in/yaml/v3":                     "YAML nodes, where comments and order matter",
	"golang.org/x/net":                       "the public suffix list",
	"golang.org/x/sync":                      "errgroup and semaphore",
	"google.golang.org/protobuf":             "protowire on the hot path; dynamicpb as the other opinion in tests",
	"pgregory.net/rapid":                     "property tests with shrinking",
}

// tables are package variables that are maps or slices and yet only read, each with
// the reason why it is not an array. TestPackageVariables sees to it that nothing
// assigns to them.
var tables = map[string]string{
	"bench/gen.techniqueNames": "looked up by technique id",
}

// source is one parsed file.
type source struct {
	path  string // with slashes, from the root
	dir   string // "." for the root
	test  bool
	made  bool // generated
	lines int
	ast   *ast.File
}

// tree parses every Go file of ours.
func tree(t *testing.T) ([]source, *token.FileSet) {
	t.Helper()
	made := regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	set := token.NewFileSet()
	var all []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || slices.Contains(ignored, filepath.ToSlash(name))) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(base) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p := filepath.ToSlash(name)
		all = append(all, source{path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), made: made.Match(text),
			lines: strings.Count(string(text), "\n"), ast: f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("found %d Go files: this test must run in the root of the repository", len(all))
	}
	return all, set
}

// ignored are folders that hold no files of ours; .gitignore names them too.
var ignored = []string{"bin", "out", "data", "deploy/kafka/lib"}

// packages groups the files by folder.
func packages(all []source) map[string][]source {
	m := map[string][]source{}
	for _, f := range all {
		m[f.dir] = append(m[f.dir], f)
	}
	return m
}

// imports lists a file's import paths.
func (s source) imports() []string {
	var list []string
	for _, i := range s.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		list = append(list, p)
	}
	return list
}

// under reports whether the folder or module path p is root or below it.
func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func TestTopLevelFolders(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topFolders[:], e.Name()) && !slices.Contains(ignored, e.Name()) {
			t.Errorf("%s/ is not in the layout: docs/adr/0001-layout.md", e.Name())
		}
	}
}

func TestImportDirection(t *testing.T) {
	all, _ := tree(t)
	for _, f := range all {
		if f.dir == "." {
			continue
		}
		key := ""
		for k := range mayImport {
			if k = strings.TrimSuffix(k, "/"); under(f.dir, k) && len(k) > len(key) {
				key = k
			}
		}
		if key == "" {
			t.Errorf("%s: no rule says what %s may import", f.path, f.dir)
			continue
		}
		rule := mayImport[key]
		may := rule.code
		if f.test {
			may = slices.Concat(rule.code, rule.tests)
		}
		for _, p := range f.imports() {
			if p == module {
				t.Errorf("%s: imports the root", f.path)
			}
			ours, ok := strings.CutPrefix(p, module+"/")
			if !ok || ours == f.dir { // its own external test
				continue
			}
			if slices.Contains(testOnly, ours) && !f.test {
				t.Errorf("%s: %s is for tests", f.path, ours)
			}
			if !slices.ContainsFunc(may, func(m string) bool {
				exact, isExact := strings.CutPrefix(m, "=")
				return isExact && ours == exact || !isExact && under(ours, m)
			}) {
				t.Errorf("%s: must not import %s", f.path, ours)
			}
		}
	}
}

func TestConfinedModules(t *testing.T) {
	all, _ := tree(t)
	for _, f := range all {
		for _, p := range f.imports() {
			for root, folders := range confined {
				if !under(p, root) {
					continue
				}
				if !slices.ContainsFunc(folders, func(d string) bool { return under(f.dir, d) || d == "*_test.go" && f.test }) {
					t.Errorf("%s: imports %s, which only %v may", f.path, p, folders)
				}
			}
		}
	}
}

func TestThirdPartyModules(t *testing.T) {
	all, _ := tree(t)
	used := map[string]bool{}
	for _, f := range all {
		for _, p := range f.imports() {
			if host, _, _ := strings.Cut(p, "/"); !strings.Contains(host, ".") || under(p, module) {
				continue
			}
			found := false
			for m := range allowed {
				if under(p, m) {
					used[m], found = true, true
				}
			}
			if !found {
				t.Errorf("%s: imports %s, of no module that is allowed: add it with a reason, or do without", f.path, p)
			}
		}
	}
	for m, why := range allowed {
		if !used[m] {
			t.Errorf("module %s is allowed and nothing imports it", m)
		}
		if len(why) < 10 {
			t.Errorf("module %s is allowed without a reason", m)
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(mod), "\n") {
		f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(f) != 2 || !strings.HasPrefix(f[1], "v") { // an indirect one has a comment behind it
			continue
		}
		if !slices.ContainsFunc(keys(allowed), func(m string) bool { return under(f[0], m) }) {
			t.Errorf("go.mod requires %s, which is not allowed", f[0])
		}
	}
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	return list
}

// TestStageFiles keeps the stages alike: who knows one finds their way in all.
func TestStageFiles(t *testing.T) {
	all, _ := tree(t)
	pk := packages(all)
	dirs, err := os.ReadDir("stages")
	if err != nil {
		t.Fatal(err)
	}
	verbs := 0
	for _, d := range dirs {
		verb, dir := d.Name(), "stages/"+d.Name()
		if !d.IsDir() || verb == "stagetest" {
			continue
		}
		verbs++
		have, bench, golden, process, asserted := map[string]bool{}, false, false, false, false
		doc := ""
		for _, f := range pk[dir] {
			have[path.Base(f.path)] = true
			if f.ast.Doc != nil && !f.test {
				doc = f.ast.Doc.Text()
			}
			for _, decl := range f.ast.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok {
					bench = bench || f.test && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Benchmark")
					process = process || !f.test && fn.Recv != nil && fn.Name.Name == "Process"
				}
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.BasicLit:
					golden = golden || f.test && x.Value == `"update"`
				case *ast.ValueSpec:
					if sel, ok := x.Type.(*ast.SelectorExpr); ok && x.Names[0].Name == "_" && !f.test {
						asserted = asserted || slices.Contains([]string{"Stage", "Stateful", "Timed"}, sel.Sel.Name)
					}
				}
				return true
			})
		}
		for _, want := range []string{"doc.go", verb + ".go", verb + "_test.go"} {
			if !have[want] {
				t.Errorf("%s: has no %s", dir, want)
			}
		}
		if !have["config.go"] && !strings.Contains(doc, "no configuration") {
			t.Errorf("%s: has no config.go, and its package comment does not say that there is no configuration", dir)
		}
		if !bench {
			t.Errorf("%s: has no benchmark", dir)
		}
		if process && !asserted {
			t.Errorf("%s: has a Process and no `var _ stages.Stage = ...` (or Stateful, Timed)", dir)
		}
		if golden && verb != "normalize" { // normalize keeps its cases with the formats they are about
			if files, err := os.ReadDir(dir + "/testdata"); err != nil || len(files) == 0 {
				t.Errorf("%s: its tests have -update and there is nothing in testdata", dir)
			}
		}
	}
	if verbs != 6 {
		t.Errorf("stages/ has %d verbs, the layout 6", verbs)
	}
}

func TestPackageComments(t *testing.T) {
	all, _ := tree(t)
	for dir, files := range packages(all) {
		best, code := 0, false
		for _, f := range files {
			if f.test && dir != "." && dir != "bench/e2e" {
				continue
			}
			code = true
			if f.ast.Doc != nil {
				text := f.ast.Doc.Text()
				if strings.HasPrefix(text, "Package "+f.ast.Name.Name+" ") || strings.HasPrefix(text, "Command ") {
					best = max(best, strings.Count(text, "\n"))
				}
			}
		}
		if code && best < 3 {
			t.Errorf("%s: its package comment has %d lines; it takes 3 to say what the package is, owns, and must not know", dir, best)
		}
	}
}

func TestFileSizes(t *testing.T) {
	all, _ := tree(t)
	var sizes []int
	for _, f := range all {
		if f.made {
			continue
		}
		sizes = append(sizes, f.lines)
		if f.lines > maxLines {
			t.Errorf("%s: %d lines, more than %d: split it by what is in it", f.path, f.lines, maxLines)
		}
	}
	slices.Sort(sizes)
	median := sizes[len(sizes)/2]
	t.Logf("%d files, median %d lines, longest %d", len(sizes), median, sizes[len(sizes)-1])
	if median >= maxMedian {
		t.Errorf("the median file has %d lines, want fewer than %d", median, maxMedian)
	}
}

// TestHabits walks every function for what must not be written. Files that import
// testing are test support wherever they are.
func TestHabits(t *testing.T) {
	all, set := tree(t)
	for _, f := range all {
		test := f.test || slices.Contains(f.imports(), "testing")
		command := f.ast.Name.Name == "main"
		for _, decl := range f.ast.Decls {
			fn, _ := decl.(*ast.FuncDecl)
			if fn != nil && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init: what a package needs is made where it is used", set.Position(fn.Pos()))
			}
			inMain := command && fn != nil && fn.Recv == nil && fn.Name.Name == "main"
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, _ := sel.X.(*ast.Ident)
				if x == nil {
					return true
				}
				name := x.Name + "." + sel.Sel.Name
				report := func(why string) { t.Errorf("%s: %s: %s", set.Position(call.Pos()), name, why) }
				switch {
				case name == "os.Exit" && !test && !inMain, strings.HasPrefix(name, "log.Fatal"), strings.HasPrefix(name, "log.Panic"):
					report("only main ends the process")
				case (name == "context.Background" || name == "context.TODO") && !test && !command:
					report("contexts come from the caller")
				case test && (sel.Sel.Name == "Skip" || sel.Sel.Name == "Skipf") && !says(call, "SKIPPED"), test && sel.Sel.Name == "SkipNow":
					report("a skip must say SKIPPED in its message")
				case !test && under(f.dir, "stages") && (name == "time.Now" || name == "time.Since" || x.Name == "rand"):
					report("stages take time and chance from outside")
				}
				return true
			})
		}
	}
}

// says reports whether a string of the call's arguments holds the word.
func says(call *ast.CallExpr, word string) bool {
	found := false
	for _, a := range call.Args {
		ast.Inspect(a, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(lit.Value, word) {
				found = true
			}
			return true
		})
	}
	return found
}

// TestGoroutinesEnd wants goleak around the tests of every package that starts
// goroutines.
func TestGoroutinesEnd(t *testing.T) {
	all, _ := tree(t)
	for dir, files := range packages(all) {
		starts, verified := "", false
		for _, f := range files {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.GoStmt:
					if !f.test {
						starts = f.path
					}
				case *ast.FuncDecl:
					if f.test && x.Name.Name == "TestMain" && slices.Contains(f.imports(), "go.uber.org/goleak") {
						verified = true
					}
				}
				return true
			})
		}
		if starts != "" && !verified {
			t.Errorf("%s: %s starts goroutines and there is no TestMain with goleak", dir, starts)
		}
	}
}

// TestPackageVariables keeps state out of packages: a variable is of a form that
// cannot change behind anybody's back, or it is listed.
func TestPackageVariables(t *testing.T) {
	all, set := tree(t)
	seen := map[string]bool{}
	vars := map[string]map[string]bool{} // by folder
	for _, f := range all {
		if f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if vars[f.dir] == nil {
						vars[f.dir] = map[string]bool{}
					}
					vars[f.dir][name.Name] = name.Name != "_"
					var value ast.Expr
					if i < len(v.Values) {
						value = v.Values[i]
					}
					if name.Name == "_" || embedded(d, v) || harmless(value) || f.made && constant(value) {
						continue
					}
					key := f.dir + "." + name.Name
					if tables[key] == "" {
						t.Errorf("%s: package variable %s: make it a constant, an array, or a function's own", set.Position(name.Pos()), name.Name)
					}
					seen[key] = true
				}
			}
		}
	}
	for dir, names := range vars {
		for _, f := range packages(all)[dir] {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				switch x := n.(type) {
				case *ast.AssignStmt:
					if x.Tok != token.DEFINE {
						for _, left := range x.Lhs {
							if name := root(left); names[name] {
								t.Errorf("%s: assigns to the package variable %s", set.Position(x.Pos()), name)
							}
						}
					}
				case *ast.CallExpr:
					if fn, ok := x.Fun.(*ast.Ident); ok && (fn.Name == "delete" || fn.Name == "clear") && len(x.Args) > 0 {
						if name := root(x.Args[0]); names[name] {
							t.Errorf("%s: changes the package variable %s", set.Position(x.Pos()), name)
						}
					}
				case *ast.IncDecStmt:
					if name := root(x.X); names[name] {
						t.Errorf("%s: changes the package variable %s", set.Position(x.Pos()), name)
					}
				}
				return true
			})
		}
	}
	for key := range tables {
		if !seen[key] {
			t.Errorf("%s is listed as a variable and there is none", key)
		}
	}
}

// root gives the variable that an expression on the left is part of.
func root(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.IndexExpr:
		return root(x.X)
	case *ast.SelectorExpr:
		return root(x.X)
	}
	return ""
}

func embedded(d *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, g := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// harmless knows error values, compiled expressions, and tables that are arrays
// (slices and maps could be changed through a copy). That nothing assigns to
// them is checked beside it.
func harmless(value ast.Expr) bool {
	switch x := value.(type) {
	case *ast.CallExpr:
		sel, ok := x.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, _ := sel.X.(*ast.Ident)
		return pkg != nil && slices.Contains([]string{"errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer", "netip.MustParsePrefix", "uuid.MustParse"}, pkg.Name+"."+sel.Sel.Name)
	case *ast.CompositeLit:
		a, ok := x.Type.(*ast.ArrayType)
		return ok && a.Len != nil
	}
	return false
}

// constant reports whether a generated value is written out in full.
func constant(value ast.Expr) bool {
	_, ok := value.(*ast.CompositeLit)
	return ok
}

// TestDocumentLinks wants every relative link in a document to lead somewhere.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)
	checked := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "deploy/*/*.md", "bench/*.md", "bench/*/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllSubmatch(text, -1) {
				checked++
				if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(string(m[1])))); err != nil {
					t.Errorf("%s: the link to %s leads nowhere", name, m[1])
				}
			}
		}
	}
	if checked == 0 {
		t.Error("found no links: the pattern is wrong")
	}
}
