package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

const (
	maxRoots    = 32
	largestInfo = 16 << 20 // bytes of a TAXII answer that is no page
)

// collection is a TAXII collection as its server describes it.
type collection struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	CanRead *bool  `json:"can_read"` // required by TAXII; taken for true where it is missing, as the server will tell

	objects *url.URL
}

// serverInfo is a discovery or an API root: who asks for one URL may get either.
type serverInfo struct {
	Default  string   `json:"default"`
	APIRoots []string `json:"api_roots"`
}

// collection finds the feed's collection by id, or by a title that only one has in
// all API roots.
func (s *session) collection(ctx context.Context, name string) (*collection, error) {
	roots, failed, err := s.apiRoots(ctx)
	if err != nil {
		return nil, err
	}
	all := len(roots) + len(failed)
	var titled []*collection
	for _, root := range roots {
		list, err := s.collections(ctx, root)
		if err != nil {
			if all == 1 || ctx.Err() != nil {
				return nil, err
			}
			failed = append(failed, err)
			continue
		}
		for _, c := range list {
			if strings.EqualFold(c.ID, name) {
				return readable(c, name)
			}
			if c.Title == name {
				titled = append(titled, c)
			}
		}
	}
	switch {
	case len(titled) == 1:
		return readable(titled[0], name)
	case len(titled) > 1:
		var ids []string
		for _, c := range titled[:min(len(titled), 5)] {
			ids = append(ids, s.short(c.ID))
		}
		return nil, permanent(fmt.Errorf("%d collections have the title %q: name one by its id (%s)", len(titled), name, strings.Join(ids, ", ")))
	case len(failed) > 0:
		// The reason may be one that passes, so the first failure keeps its kind.
		return nil, fmt.Errorf("the collection %q is in none of the %d API roots that answered, and others did not: %w", name, all-len(failed), failed[0])
	}
	return nil, permanent(fmt.Errorf("%s has no collection with the id or title %q that we may see", show(s.origin), name))
}

func readable(c *collection, name string) (*collection, error) {
	if c.CanRead != nil && !*c.CanRead {
		return nil, permanent(fmt.Errorf("the collection %q may not be read with these credentials (can_read is false)", name))
	}
	return c, nil
}

// apiRoots gives the API roots behind the feed's URL, itself if it is one, and why
// others cannot be used.
func (s *session) apiRoots(ctx context.Context) (roots []*url.URL, failed []error, err error) {
	var info serverInfo
	if err := s.info(ctx, s.origin, &info); err != nil {
		return nil, nil, err
	}
	if info.Default != "" {
		info.APIRoots = append([]string{info.Default}, info.APIRoots...)
	}
	if len(info.APIRoots) == 0 {
		return []*url.URL{s.origin}, nil, nil
	}
	seen := map[string]bool{}
	for _, text := range info.APIRoots {
		u, err := s.origin.Parse(text)
		if err == nil {
			err = usable(u)
		}
		if err == nil && s.origin.Scheme == "https" && u.Scheme == "http" {
			err = errors.New("leads from https to http")
		}
		if err != nil {
			failed = append(failed, permanent(fmt.Errorf("%s: an API root is not usable: %w", show(s.origin), err)))
			continue
		}
		if key := strings.TrimSuffix(u.String(), "/"); !seen[key] {
			seen[key] = true
			roots = append(roots, u)
		}
	}
	if len(roots) > maxRoots {
		return nil, nil, permanent(fmt.Errorf("%s has %d API roots, more than %d: give the url of one", show(s.origin), len(roots), maxRoots))
	}
	return roots, failed, nil
}

// collections lists an API root.
func (s *session) collections(ctx context.Context, root *url.URL) ([]*collection, error) {
	at := root.JoinPath("collections/")
	var answer struct {
		Collections []*collection `json:"collections"`
	}
	if err := s.info(ctx, at, &answer); err != nil {
		return nil, err
	}
	var list []*collection
	for _, c := range answer.Collections {
		if c == nil || c.ID == "" || c.ID == "." || c.ID == ".." || len(c.ID) > 1024 {
			continue
		}
		c.objects = at.JoinPath(url.PathEscape(c.ID), "objects/")
		list = append(list, c)
	}
	return list, nil
}

// info reads a small TAXII resource.
func (s *session) info(ctx context.Context, u *url.URL, into any) error {
	a, err := s.askTAXII(ctx, u)
	if err != nil {
		return err
	}
	b, end, err := a.text(s.c.cfg.Idle, newBudget(largestInfo, "the largest answer"))
	defer end()
	if err != nil {
		return fmt.Errorf("%s: %w", show(u), err)
	}
	text, err := io.ReadAll(b)
	if err != nil {
		return fmt.Errorf("%s: %w", show(u), err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return permanent(fmt.Errorf("%s: the answer is no TAXII: %w", show(u), err))
	}
	return nil
}
