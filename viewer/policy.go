package viewer

import "fmt"

// Policy is what a viewer may do. The zero value restricts nothing.
type Policy struct {
	// ViewOnly takes everything away that acts on the desktop: keys, pointer, sizes, and clipboard texts to it.
	ViewOnly bool
	// Clipboard says in which directions clipboard texts may go.
	Clipboard Clipboard
}

// Clipboard names directions of clipboard texts.
type Clipboard uint8

// The directions.
const (
	ClipboardBoth Clipboard = iota
	ClipboardIn             // From the viewer to the desktop.
	ClipboardOut            // From the desktop to the viewer.
	ClipboardNone
)

// String gives the word that [ParseClipboard] reads.
func (c Clipboard) String() string {
	switch c {
	case ClipboardBoth:
		return "both"
	case ClipboardIn:
		return "in"
	case ClipboardOut:
		return "out"
	case ClipboardNone:
		return "none"
	default:
		return fmt.Sprintf("Clipboard(%d)", uint8(c))
	}
}

// ParseClipboard reads "both", "in" (viewer to desktop), "out" (desktop to viewer) or "none".
func ParseClipboard(s string) (Clipboard, error) {
	for c := ClipboardBoth; c <= ClipboardNone; c++ {
		if s == c.String() {
			return c, nil
		}
	}
	return ClipboardNone, fmt.Errorf("clipboard %q is none of both, in, out, none", s)
}

// textIn reports whether the viewer's clipboard texts may reach the desktop.
func (p Policy) textIn() bool {
	return !p.ViewOnly && (p.Clipboard == ClipboardBoth || p.Clipboard == ClipboardIn)
}

// textOut reports whether the desktop's clipboard texts may reach the viewer.
func (p Policy) textOut() bool { return p.Clipboard == ClipboardBoth || p.Clipboard == ClipboardOut }

// unrestricted reports whether there is nothing to enforce.
func (p Policy) unrestricted() bool { return !p.ViewOnly && p.Clipboard == ClipboardBoth }
