package web

import (
	"strconv"
	"strings"
)

// encoding is a form in which the build leaves files beside the plain ones.
type encoding struct{ name, suffix string }

// encodings has the best one first.
func encodings() []encoding { return []encoding{{"br", ".br"}, {"gzip", ".gz"}} }

// encodingOf tells which encoding a file's name says; "" for none.
func encodingOf(name string) string {
	for _, e := range encodings() {
		if strings.HasSuffix(name, e.suffix) {
			return e.name
		}
	}
	return ""
}

// accepts tells whether an Accept-Encoding header (RFC 9110, section 12.5.3)
// takes an encoding. One that is not named is not taken: "*" is what nobody
// sends who can use it.
func accepts(header, encoding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(weight, 64)
		return err == nil && q > 0
	}
	return false
}
