package fake

import (
	"maps"
	"net/netip"
	"slices"

	"sage/runtime"
)

// clone makes a spec independent of the caller's.
func clone(spec runtime.Spec) runtime.Spec {
	spec.Env = maps.Clone(spec.Env)
	spec.Labels = maps.Clone(spec.Labels)
	spec.Ports = slices.Clone(spec.Ports)
	spec.Volumes = slices.Clone(spec.Volumes)
	spec.Tmpfs = slices.Clone(spec.Tmpfs)
	return spec
}

// inherit adds the image's labels to a spec that is the fake's own, as engines do.
func inherit(spec runtime.Spec, img *image) runtime.Spec {
	labels := maps.Clone(img.Labels)
	if labels == nil {
		return spec
	}
	maps.Copy(labels, spec.Labels)
	spec.Labels = labels
	return spec
}

// address is an address of 10.88.0.0/16 for the container of that number.
func address(serial uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(88 + serial>>16), byte(serial >> 8), byte(serial)})
}
