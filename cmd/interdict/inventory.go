package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// inventoryLine is one host of an inventory file. Other fields are ignored, so
// that the export of an inventory system can be used as it is.
type inventoryLine struct {
	Name        string          `json:"name"`
	Class       string          `json:"class"`
	Criticality json.RawMessage `json:"criticality"` // low, medium, high, critical, or 0 to 100
	Group       string          `json:"group"`
	Owner       string          `json:"owner"`
	Updated     time.Time       `json:"updated"` // when it was last vouched for
}

// readInventory reads hosts, one JSON object a line; no file is no inventory.
func readInventory(name, tenant string) ([]schema.Asset, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []schema.Asset
	d := json.NewDecoder(bufio.NewReader(f))
	for n := 1; ; n++ {
		var l inventoryLine
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: asset %d: %w", name, n, err)
		}
		a, err := l.asset(tenant)
		if err != nil {
			return nil, fmt.Errorf("%s: asset %d: %w", name, n, err)
		}
		list = append(list, a)
	}
}

func (l inventoryLine) asset(tenant string) (schema.Asset, error) {
	a := schema.Asset{Tenant: tenant, Entity: schema.EntityRef{Type: schema.EntityHost, Key: canon.HostKey(l.Name)},
		Class: l.Class, Group: l.Group, Owner: l.Owner, Fresh: schema.FromTime(l.Updated)}
	if a.Entity.Key == "" {
		return a, fmt.Errorf("name %q is no host name", l.Name)
	}
	if l.Updated.IsZero() {
		return a, fmt.Errorf("host %s: updated is missing: an inventory that does not say how old it is cannot be acted on", l.Name)
	}
	if len(l.Criticality) == 0 {
		return a, nil
	}
	var word string
	if err := json.Unmarshal(l.Criticality, &word); err != nil {
		if err := json.Unmarshal(l.Criticality, &a.Criticality); err != nil || a.Criticality > 100 {
			return a, fmt.Errorf("host %s: criticality %s is neither a level nor 0 to 100", l.Name, l.Criticality)
		}
		return a, nil
	}
	switch word {
	case "low":
		a.Criticality = 25
	case "medium":
		a.Criticality = 50
	case "high":
		a.Criticality = 75
	case "critical":
		a.Criticality = 100
	default:
		return a, fmt.Errorf("host %s: criticality %q is not low, medium, high or critical", l.Name, word)
	}
	return a, nil
}
