package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pairs is the value of a flag that is given once for every NAME=VALUE. Commas
// mean nothing to it, as values may have some.
type pairs struct{ values map[string]any }

// Set is cli.Generic.
func (p *pairs) Set(pair string) error {
	name, value, ok := strings.Cut(pair, "=")
	if !ok || name == "" {
		return fmt.Errorf("use NAME=VALUE")
	}
	if _, twice := p.values[name]; twice {
		return fmt.Errorf("%s is given twice", name)
	}
	if p.values == nil {
		p.values = map[string]any{}
	}
	p.values[name] = value
	return nil
}

// String is cli.Generic.
func (p *pairs) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		all = append(all, fmt.Sprintf("%s=%v", name, p.values[name]))
	}
	return strings.Join(all, " ")
}
