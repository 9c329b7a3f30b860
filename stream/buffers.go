package stream

import "sync"

const (
	// bufferSize is what is read from a desktop at once, in bytes: the size beyond which copying gets no faster.
	bufferSize = 256 << 10
	// clientBufferSize is what is read of a client's message at once, in bytes. It is held as long as a message is
	// under way, so a client that stops in the middle of one holds no more than this.
	clientBufferSize = 32 << 10
)

// buffers lends copy buffers for as long as bytes flow. The zero value is usable, by any number of goroutines.
type buffers struct {
	large, small sync.Pool
}

func (b *buffers) getLarge() *[bufferSize]byte {
	if v, ok := b.large.Get().(*[bufferSize]byte); ok {
		return v
	}
	return new([bufferSize]byte)
}

func (b *buffers) putLarge(v *[bufferSize]byte) { b.large.Put(v) }

func (b *buffers) getSmall() *[clientBufferSize]byte {
	if v, ok := b.small.Get().(*[clientBufferSize]byte); ok {
		return v
	}
	return new([clientBufferSize]byte)
}

func (b *buffers) putSmall(v *[clientBufferSize]byte) { b.small.Put(v) }
