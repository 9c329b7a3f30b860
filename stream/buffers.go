package stream

import (
	"sync"
)

const (
	// bufferSize is what is read from a desktop at once, in bytes: the size beyond which copying gets no faster.
	bufferSize = 256 << 10
	// clientBufferSize is what is read from a client at once, in bytes.
	clientBufferSize = 32 << 10
	// headRoom is kept free before what is read, so that the head of a frame can be written right before its payload
	// and both go out with one call. It is a cache line: copying to an odd address costs the kernel three times as much.
	headRoom = 64
)

// buffers lends copy buffers of one size for as long as bytes flow. It may be used by any number of goroutines.
type buffers struct {
	size int
	pool sync.Pool
}

func newBuffers(size int) *buffers { return &buffers{size: size} }

// get lends a buffer with size bytes behind headRoom.
func (b *buffers) get() *[]byte {
	if v, ok := b.pool.Get().(*[]byte); ok {
		return v
	}
	v := make([]byte, headRoom+b.size)
	return &v
}

func (b *buffers) put(v *[]byte) { b.pool.Put(v) }
