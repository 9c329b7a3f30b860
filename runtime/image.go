package runtime

// LabelBuildDigest is the label in which a built image carries the
// Build.Digest that it was made from.
const LabelBuildDigest = "io.sage.build.digest"

// Image is an image as it is on the engine.
type Image struct {
	// ID is the engine's identifier of it.
	ID string
	// Labels are those of the image, with those of what it was built from; nil
	// where there are none.
	Labels map[string]string
}

// ImageRequest names an image and how to get it.
type ImageRequest struct {
	// Ref is a fully qualified reference.
	Ref string
	// Build is how to make it; nil means that it is pulled.
	Build *Build
}

// Build is how an image is made on the engine.
type Build struct {
	// ContextDir is the directory that is sent to the engine.
	ContextDir string
	// Containerfile is its path inside ContextDir.
	Containerfile string
	// Args are the build arguments.
	Args map[string]string
	// Digest stands for everything that the image is made from. An image whose
	// label LabelBuildDigest equals it is up to date; a different one is built
	// again. Empty means that any image of that name will do.
	Digest string
}

// Progress is one report of EnsureImage.
type Progress struct {
	// Layer names what is being transferred; empty for a line of a build.
	Layer string
	// Text is what the engine says, without line end.
	Text string
	// Current and Total are the layer's bytes; Total is zero where the engine does
	// not tell. An engine may count a layer twice: when it comes and when it is
	// unpacked.
	Current, Total int64
	// Done says that all of the layer has come, or was there already.
	Done bool
}
