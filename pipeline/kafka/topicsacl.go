package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ACL is one rule of the cluster's authorizer, in its words.
type ACL struct {
	Principal  string `json:"principal"`
	Host       string `json:"host"`
	Type       string `json:"type"` // TOPIC, GROUP, TRANSACTIONAL_ID, CLUSTER
	Name       string `json:"name"`
	Pattern    string `json:"pattern"` // LITERAL, PREFIXED
	Operation  string `json:"operation"`
	Permission string `json:"permission"`
}

// matches reports whether the rule speaks of the named resource.
func (a ACL) matches(typ, name string) bool {
	if a.Type != typ {
		return false
	}
	if a.Pattern == "PREFIXED" {
		return strings.HasPrefix(name, a.Name)
	}
	return a.Name == name || a.Name == "*"
}

// allows reports whether the rule lets principal do op. That Read, Write and
// others imply Describe is not needed here.
func (a ACL) allows(principal, op string) bool {
	return a.Permission == "ALLOW" && (a.Principal == principal || a.Principal == "User:*") && (a.Operation == op || a.Operation == "ALL")
}

// listACLs adds the rules that matter here, what our own user lacks, and who else may
// write to topics that only Interdict should. A cluster without an authorizer, or one
// that does not let us look, is said in ACLNote.
func (p *Plan) listACLs(ctx context.Context, adm *kadm.Client, cfg Config) error {
	all := kadm.NewACLs().AnyResource().Allow().AllowHosts().Deny().DenyHosts().
		Operations(kmsg.ACLOperationAny).ResourcePatternType(kadm.ACLPatternAny)
	results, err := adm.DescribeACLs(ctx, all)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	switch {
	case errors.Is(err, kerr.SecurityDisabled):
		p.ACLNote = "the cluster has no authorizer: anybody may produce to any topic"
		return nil
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		p.ACLNote = "not allowed to list ACLs (needs DESCRIBE on the cluster)"
		return nil
	case errors.Is(err, kerr.UnsupportedVersion):
		p.ACLNote = "the cluster does not list ACLs"
		return nil
	case err != nil:
		return fmt.Errorf("listing ACLs: %w", err)
	}
	ours, theirs := p.names(false), p.names(true)
	group := cfg.Prefix + "."
	seen := make(map[ACL]bool)
	for _, r := range results {
		for _, d := range r.Described {
			a := ACL{d.Principal, d.Host, d.Type.String(), d.Name, d.Pattern.String(), d.Operation.String(), d.Permission.String()}
			about := slices.ContainsFunc(slices.Concat(ours, theirs), func(t string) bool { return a.matches("TOPIC", t) }) ||
				(a.Type == "GROUP" || a.Type == "TRANSACTIONAL_ID") && (a.Name == "*" || strings.HasPrefix(a.Name, group) || a.Pattern == "PREFIXED" && strings.HasPrefix(group, a.Name)) ||
				a.Type == "CLUSTER"
			if about && !seen[a] {
				seen[a] = true
				p.ACLs = append(p.ACLs, a)
			}
		}
	}
	slices.SortFunc(p.ACLs, func(a, b ACL) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	p.warn(cfg, ours, theirs)
	return nil
}

// warn tells what the rules lack and what they allow too much.
func (p *Plan) warn(cfg Config, ours, theirs []string) {
	if cfg.SASL.User == "" {
		return // without a log-in it is not known which rules are for us
	}
	us := "User:" + cfg.SASL.User
	need := func(typ, name, op string) {
		denied := slices.ContainsFunc(p.ACLs, func(a ACL) bool {
			return a.matches(typ, name) && a.Permission == "DENY" && (a.Principal == us || a.Principal == "User:*") && (a.Operation == op || a.Operation == "ALL")
		})
		if denied {
			p.Warnings = append(p.Warnings, fmt.Sprintf("an ACL denies %s to %s on %s %s", op, us, strings.ToLower(typ), name))
			return
		}
		if !slices.ContainsFunc(p.ACLs, func(a ACL) bool { return a.matches(typ, name) && a.allows(us, op) }) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("no ACL gives %s to %s on %s %s (a superuser needs none)", op, us, strings.ToLower(typ), name))
		}
	}
	for _, t := range ours {
		need("TOPIC", t, "READ")
		need("TOPIC", t, "WRITE")
		for _, a := range p.ACLs {
			if a.matches("TOPIC", t) && a.Permission == "ALLOW" && a.Principal != us && (a.Operation == "WRITE" || a.Operation == "ALL") {
				p.Warnings = append(p.Warnings, fmt.Sprintf("%s may write to %s: only Interdict should", a.Principal, t))
			}
		}
	}
	for _, t := range theirs {
		need("TOPIC", t, "READ")
		for _, a := range p.ACLs {
			// The topic says who the tenant and the source are.
			if a.matches("TOPIC", t) && a.Principal == "User:*" && (a.allows("User:*", "WRITE")) {
				p.Warnings = append(p.Warnings, fmt.Sprintf("anybody may write to the raw topic %s: bind it to its producers", t))
			}
		}
	}
	need("GROUP", cfg.Prefix+".", "READ")
	need("TRANSACTIONAL_ID", cfg.Prefix+".", "WRITE")
}
