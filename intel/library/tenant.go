package library

import (
	"errors"
	"fmt"

	"github.com/interdict/interdict/intel/fact"
)

// ErrTenant says that what a feed holds is another tenant's.
var ErrTenant = errors.New("what is stored was said for another tenant")

// owned sees to it that what a feed said for one tenant is handed to no other: only a
// pull of the whole feed may be for another one, and builds upon nothing then. What
// everybody had may become one tenant's.
func (im *Import) owned() error {
	old := im.old
	if old.Facts == 0 || old.Tenant == "" || old.Tenant == im.feed.Tenant {
		return nil
	}
	if im.mode != fact.Replace {
		return fmt.Errorf("%w, %s, and not for %s: remove the feed first (interdict intel rm %s), or have it pulled as a whole; until then what is stored stays that tenant's",
			ErrTenant, old.Tenant, orAll(im.feed.Tenant), im.feed.Name)
	}
	im.without.facts, im.without.objects = true, true
	return nil
}

func orAll(tenant string) string {
	if tenant == "" {
		return "all"
	}
	return tenant
}
