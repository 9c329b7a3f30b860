package session

import (
	"slices"

	"sage/runtime"
)

// layersKept bounds what is kept of one image's layers: an image has 127 at most.
const layersKept = 256

// ImageStatus is how far the bringing of an image has come.
type ImageStatus struct {
	// Text is the engine's last word.
	Text string
	// Current and Total are the bytes of all layers that the engine has spoken of
	// so far; zero where it does not tell.
	Current, Total int64
	// Layers are in the order in which they came up.
	Layers []LayerStatus
}

// LayerStatus is how far one layer of an image has come.
type LayerStatus struct {
	ID string
	// Status is the engine's word for what it does.
	Status string
	// Current and Total are bytes; zero where the engine does not tell.
	Current, Total int64
}

// note adds a report. Bytes that came do not go again: that an engine counts
// anew when it unpacks is its own affair.
func (s *ImageStatus) note(p runtime.Progress) {
	if p.Text != "" {
		s.Text = p.Text
	}
	if p.Layer == "" {
		return
	}
	i := slices.IndexFunc(s.Layers, func(l LayerStatus) bool { return l.ID == p.Layer })
	if i < 0 {
		if len(s.Layers) == layersKept {
			return
		}
		i = len(s.Layers)
		s.Layers = append(s.Layers, LayerStatus{ID: p.Layer})
	}
	l := &s.Layers[i]
	before := *l
	l.Status = p.Text
	l.Total = max(l.Total, p.Total)
	l.Current = max(l.Current, p.Current)
	if p.Done {
		l.Current = l.Total
	}
	s.Current += l.Current - before.Current
	s.Total += l.Total - before.Total
}
