package disrupt

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"github.com/interdict/interdict/schema"
)

// View is an alert as expressions see it. Severities compare as numbers against
// severity.low and so on. Lists and strings are cut at maxList and maxText, so
// that no alert can make an expression cost more than was estimated for it.
type View struct {
	Severity   int64    `cel:"severity"`
	Confidence int64    `cel:"confidence"`
	Verdict    string   `cel:"verdict"`
	Blocked    bool     `cel:"blocked"`
	Source     string   `cel:"source"` // the only field that says who speaks; the rest is what was said
	Format     string   `cel:"format"`
	Vendor     string   `cel:"vendor"`
	Product    string   `cel:"product"`
	Title      string   `cel:"title"`
	Rule       string   `cel:"rule"`
	RuleUID    string   `cel:"rule_uid"`
	Type       string   `cel:"type"`
	Techniques []string `cel:"techniques"`
	Tactics    []string `cel:"tactics"`
	Entities   []Named  `cel:"entities"`
	Matches    []Hit    `cel:"matches"` // those that count; see schema.Match.Counts
}

// Named is an entity as expressions see it; target is one too.
type Named struct {
	Type     string `cel:"type"`
	Role     string `cel:"role"`
	Key      string `cel:"key"`
	Attested bool   `cel:"attested"`
}

// Hit is an indicator match as expressions see it.
type Hit struct {
	Type       string `cel:"type"`
	Value      string `cel:"value"`
	Feed       string `cel:"feed"`
	Verdict    string `cel:"verdict"`
	Confidence int64  `cel:"confidence"`
}

// Bounds of expressions. Cost is in CEL's units, roughly one per operation.
const (
	maxList       = 64
	maxText       = 1024
	maxExpression = 4096 // characters
	maxCost       = 100_000
)

// compiler makes programs of expressions. It is not safe for concurrent use.
type compiler struct{ env *cel.Env }

func newCompiler() (*compiler, error) {
	opts := []cel.EnvOption{
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(32),
		cel.ExpressionNodeLimit(512),
		cel.ExpressionNestingDepthLimit(32),
		cel.RegexProgramSizeLimit(1000),
		ext.NativeTypes(ext.ParseStructTags(true),
			cel.NativeTypeFor[View](), cel.NativeTypeFor[Named](), cel.NativeTypeFor[Hit]()),
		cel.Variable("alert", cel.ObjectType("disrupt.View")),
		cel.Variable("target", cel.ObjectType("disrupt.Named")),
	}
	for s := schema.SeverityInformational; s <= schema.SeverityFatal; s++ {
		opts = append(opts, cel.Constant("severity."+s.String(), cel.IntType, types.Int(s)))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, fmt.Errorf("disrupt: building the expression environment: %w", err)
	}
	return &compiler{env}, nil
}

// program compiles an expression, or says why it must not run.
func (c *compiler) program(expr string) (cel.Program, error) {
	ast, issues := c.env.Compile(expr)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("expression: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("expression gives %s, not bool", t)
	}
	estimate, err := c.env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, fmt.Errorf("estimating the expression's cost: %w", err)
	}
	if estimate.Max > maxCost {
		return nil, fmt.Errorf("expression may cost %d units: at most %d are allowed", estimate.Max, maxCost)
	}
	p, err := c.env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	return p, nil
}

// sizes bounds what an expression can reach of a View.
type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if len(n.Path()) == 0 {
		return nil
	}
	switch n.Type().Kind() {
	case cel.StringKind:
		return &cost.SizeEstimate{Min: 0, Max: maxText}
	case cel.ListKind:
		return &cost.SizeEstimate{Min: 0, Max: maxList}
	}
	return nil
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// scope is what an expression runs over. It implements cel.Activation.
type scope struct {
	view   *View
	target *Named
}

func (s *scope) ResolveName(name string) (any, bool) {
	switch name {
	case "alert":
		return s.view, true
	case "target":
		return s.target, true
	}
	return nil, false
}

func (s *scope) Parent() cel.Activation { return nil }

// fill makes v a view of a, reusing its slices. v aliases a.
func (v *View) fill(a *schema.Alert) {
	*v = View{
		Severity: int64(a.Severity), Confidence: int64(a.Confidence), Verdict: a.Verdict.String(), Blocked: a.Blocked,
		Source: cut(a.Source), Format: cut(a.Format), Vendor: cut(a.Vendor), Product: cut(a.Product), Title: cut(a.Title),
		Rule: cut(a.Rule), RuleUID: cut(a.RuleUID), Type: cut(a.Type),
		Techniques: v.Techniques[:0], Tactics: v.Tactics[:0], Entities: v.Entities[:0], Matches: v.Matches[:0],
	}
	for _, t := range a.Techniques[:min(maxList, len(a.Techniques))] {
		if t.ID != "" {
			v.Techniques = append(v.Techniques, cut(t.ID))
		}
		if t.Tactic != "" {
			v.Tactics = append(v.Tactics, cut(t.Tactic))
		}
	}
	for i := range a.Entities[:min(maxList, len(a.Entities))] {
		v.Entities = append(v.Entities, named(&a.Entities[i]))
	}
	for i := range a.Matches {
		m := &a.Matches[i]
		if !speaks(*m) {
			continue
		}
		if len(v.Matches) == maxList {
			break
		}
		v.Matches = append(v.Matches, Hit{Type: m.Type.String(), Value: cut(m.Value), Feed: cut(m.Feed),
			Verdict: m.Verdict.String(), Confidence: int64(m.Confidence)})
	}
}

// speaks reports a match that may be reason to act: one that counts, and that
// was known when the alert came. What intelligence learns later is evidence for
// people; it is as old as its alert and never acts by itself.
func speaks(m schema.Match) bool { return m.Counts() && !m.Retro }

func named(e *schema.Entity) Named {
	return Named{Type: e.Type.String(), Role: e.Role.String(), Key: cut(e.Key), Attested: e.Attested}
}

// cut shortens s to maxText bytes, at a character.
func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
