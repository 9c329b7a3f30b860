// Package catalog holds what can be started: the curated apps of a catalog file, with everything that is needed to
// build, start and limit their containers, and the environment that a caller may set.
//
// It promises that a loaded [Catalog] is complete and consistent: defaults are filled in, relative paths are resolved,
// names are unique, references between apps lead somewhere. A file that breaks rules is refused as a whole, and all of
// its problems are reported at once, each as a [Problem] with its place and with what would be right.
//
// It knows no container engine, no session and no HTTP. A Catalog is not changed after loading and may be used by any
// number of goroutines.
package catalog
