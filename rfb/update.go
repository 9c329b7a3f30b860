package rfb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"os"
)

// maxCutText bounds a clipboard text that is skipped, in bytes.
const maxCutText = 16 << 20

// maxResizes bounds the changes of size that one capture follows.
const maxResizes = 16

// Capture asks for the whole framebuffer and returns it once every pixel has come since the call. It follows changes of
// size. The picture is opaque and the caller's own. ctx bounds the wait; a context that ends in the middle of a message
// leaves the client unusable, because the rest of the message cannot be told from the next one. So does [ErrLimit].
func (c *Client) Capture(ctx context.Context) (*image.RGBA, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	defer func() { c.cover = nil }()

	for range maxResizes {
		// A change of size makes all pixels undefined (RFC 6143 section 7.8.2): ask anew.
		width, height := c.Size()
		c.cover = newCoverage(width, height)
		for {
			// Asked again when an update did not bring all: what the server deems sent never comes incrementally.
			if err := c.write(updateRequest(false, width, height)); err != nil {
				return nil, err
			}
			if err := c.nextUpdate(ctx); err != nil {
				return nil, err
			}
			if w, h := c.Size(); w != width || h != height {
				break
			}
			if c.cover.whole() {
				m := c.frame
				c.frame = nil
				return m, nil
			}
		}
	}
	return nil, fmt.Errorf("rfb: capture: the framebuffer changed its size %d times", maxResizes)
}

// Update asks for the framebuffer, whole or only what has changed since the last answer (incremental), and returns
// once one update has come. An incremental request waits for a change; a context that ends meanwhile, between two
// messages, leaves the client usable on connections whose deadlines can be lifted again, such as TCP.
func (c *Client) Update(ctx context.Context, incremental bool) error {
	release, err := c.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	w, h := c.Size()
	if err := c.write(updateRequest(incremental, w, h)); err != nil {
		return err
	}
	return c.nextUpdate(ctx)
}

// acquire takes the reading side for one call.
func (c *Client) acquire(ctx context.Context) (release func(), err error) {
	select {
	case c.rmu <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("rfb: wait for a running update: %w", context.Cause(ctx))
	}
	if c.broken != nil {
		<-c.rmu
		return nil, c.broken
	}
	c.budget.renew()
	return func() { <-c.rmu }, nil
}

// nextUpdate reads messages up to and including the next FramebufferUpdate.
func (c *Client) nextUpdate(ctx context.Context) error {
	stop := interruptReads(ctx, c.conn)
	defer stop()
	for {
		var kind [1]byte
		if n, err := io.ReadFull(c.br, kind[:]); err != nil {
			err = c.readError(ctx, fmt.Errorf("rfb: read message: %w", err))
			if n != 0 || !isTimeout(ctx, err) {
				c.broken = err
			}
			return err
		}
		if err := c.message(ctx, ServerMessageType(kind[0])); err != nil {
			err = c.readError(ctx, err)
			c.broken = fmt.Errorf("rfb: connection is unusable after: %w", err)
			return err
		}
		if ServerMessageType(kind[0]) == MsgFramebufferUpdate {
			return nil
		}
	}
}

// readError prefers the context's error: the read failed because of it.
func (c *Client) readError(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("rfb: wait for an update: %w", context.Cause(ctx))
	}
	return err
}

// isTimeout reports whether err only says that the wait was given up.
func isTimeout(ctx context.Context, err error) bool {
	var ne net.Error
	return ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.As(err, &ne) && ne.Timeout())
}

// message reads the rest of one server message.
func (c *Client) message(ctx context.Context, kind ServerMessageType) error {
	if err := c.budget.message(); err != nil {
		return fmt.Errorf("rfb: %w", err)
	}
	switch kind {
	case MsgFramebufferUpdate:
		return c.framebufferUpdate(ctx)
	case MsgSetColourMapEntries:
		// Meaningless in true colour, but a server may still send it (RFC 6143 section 7.6.2).
		var b [5]byte
		if err := readFull(c.br, b[:], "colour map"); err != nil {
			return err
		}
		return c.skip(int(binary.BigEndian.Uint16(b[3:]))*6, "colour map")
	case MsgBell:
		return nil
	case MsgServerCutText:
		var b [7]byte
		if err := readFull(c.br, b[:], "clipboard"); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(b[3:])
		if n > maxCutText {
			return fmt.Errorf("rfb: clipboard of %d bytes is longer than %d", n, maxCutText)
		}
		return c.skip(int(n), "clipboard")
	default:
		return fmt.Errorf("rfb: unknown server message %d", kind)
	}
}

// skip reads n bytes and forgets them.
func (c *Client) skip(n int, what string) error {
	if _, err := c.br.Discard(n); err != nil {
		return fmt.Errorf("rfb: read %s: %w", what, err)
	}
	return nil
}

// framebufferUpdate reads the rectangles of one update (RFC 6143 section 7.6.1): as many as it says, or up to LastRect
// (rfbproto).
func (c *Client) framebufferUpdate(ctx context.Context) error {
	var b [3]byte
	if err := readFull(c.br, b[:], "update"); err != nil {
		return err
	}
	resized := false
	for range binary.BigEndian.Uint16(b[1:]) {
		// A few bytes may stand for many pixels, so the next read can be long in coming.
		if ctx.Err() != nil {
			return fmt.Errorf("rfb: read an update: %w", context.Cause(ctx))
		}
		r, encoding, err := c.rectangleHead()
		switch {
		case err != nil:
			return err
		case encoding == EncodingLastRect:
			return nil
		case resized:
			// A new size stands last in its update (RFC 6143 section 7.8.2).
			return errors.New("rfb: rectangle after a change of size in one update")
		case encoding == EncodingDesktopSize:
			resized, err = true, c.resize(r.Dx(), r.Dy())
		default:
			err = c.rectangle(r, encoding)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rectangleHead reads the place and the encoding of a rectangle.
func (c *Client) rectangleHead() (image.Rectangle, Encoding, error) {
	var b [12]byte
	if err := readFull(c.br, b[:], "rectangle"); err != nil {
		return image.Rectangle{}, 0, err
	}
	x, y := int(binary.BigEndian.Uint16(b[0:])), int(binary.BigEndian.Uint16(b[2:]))
	w, h := int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:]))
	return image.Rect(x, y, x+w, y+h), Encoding(int32(binary.BigEndian.Uint32(b[8:]))), nil
}

// rectangle reads the pixels of one rectangle.
func (c *Client) rectangle(r image.Rectangle, encoding Encoding) error {
	if err := c.makeFrame(); err != nil {
		return err
	}
	if !inside(r, c.frame.Rect) {
		return fmt.Errorf("rfb: rectangle %v is outside of the framebuffer %v", r, c.frame.Rect)
	}
	if err := c.budget.work(r.Dx()*r.Dy() + rectangleCost); err != nil {
		return fmt.Errorf("rfb: %w", err)
	}
	switch encoding {
	case EncodingRaw:
		return c.raw(r)
	case EncodingCopyRect:
		return c.copyRect(r)
	case EncodingZRLE:
		return c.zrle(r)
	case EncodingTight:
		return c.tight(r)
	default:
		return fmt.Errorf("rfb: server used encoding %d, which was not asked for", encoding)
	}
}

// makeFrame makes a framebuffer of the size in force where there is none. It takes the place of the last one where that
// is large enough, so that changes of size cost no memory.
func (c *Client) makeFrame() error {
	if c.frame != nil {
		return nil
	}
	w, h := c.Size()
	if cap(c.spare) < 4*w*h {
		if err := c.budget.work(w * h); err != nil {
			return fmt.Errorf("rfb: %w", err)
		}
		c.spare = make([]byte, 4*w*h)
	}
	// What the last one showed may stay: every pixel of a picture comes after this.
	c.frame = &image.RGBA{Pix: c.spare[:4*w*h], Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}
	c.spare = nil
	return nil
}

// inside reports whether r lies within frame. Unlike Rectangle.In it minds the place of an empty one too.
func inside(r, frame image.Rectangle) bool {
	return r.Min.X >= 0 && r.Min.Y >= 0 && r.Max.X <= frame.Max.X && r.Max.Y <= frame.Max.Y
}

// resize takes a new framebuffer size (RFC 6143 section 7.8.2). The picture is only allocated again once there are
// pixels for it: a size is cheap to send.
func (c *Client) resize(w, h int) error {
	if err := c.setSize(w, h); err != nil {
		return err
	}
	if c.frame != nil && (c.frame.Rect.Dx() != w || c.frame.Rect.Dy() != h) {
		c.spare, c.frame = c.frame.Pix[:0], nil
	}
	return nil
}

// raw reads pixels straight into the picture (RFC 6143 section 7.7.1).
func (c *Client) raw(r image.Rectangle) error {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		i := c.frame.PixOffset(r.Min.X, y)
		row := c.frame.Pix[i : i+4*r.Dx()]
		if err := readFull(c.br, row, "pixels"); err != nil {
			return err
		}
		for a := 3; a < len(row); a += 4 {
			row[a] = 0xff
		}
	}
	c.come(r)
	return nil
}

// copyRect moves pixels within the picture (RFC 6143 section 7.7.2). Source and target may overlap. For a
// waiting capture, moved pixels count as come where all of their source had.
func (c *Client) copyRect(r image.Rectangle) error {
	var b [4]byte
	if err := readFull(c.br, b[:], "copy source"); err != nil {
		return err
	}
	from := image.Pt(int(binary.BigEndian.Uint16(b[0:])), int(binary.BigEndian.Uint16(b[2:])))
	src := image.Rectangle{Min: from, Max: from.Add(r.Size())}
	if !inside(src, c.frame.Rect) {
		return fmt.Errorf("rfb: copy source %v is outside of the framebuffer %v", src, c.frame.Rect)
	}
	switch {
	case c.cover == nil:
	case c.cover.has(src):
		c.cover.add(r)
	default:
		c.cover.remove(r)
	}
	move := func(row int) {
		d, s := c.frame.PixOffset(r.Min.X, r.Min.Y+row), c.frame.PixOffset(src.Min.X, src.Min.Y+row)
		copy(c.frame.Pix[d:d+4*r.Dx()], c.frame.Pix[s:s+4*r.Dx()])
	}
	// Go away from the rows that are still to be read, as memmove does.
	if src.Min.Y < r.Min.Y {
		for row := r.Dy() - 1; row >= 0; row-- {
			move(row)
		}
	} else {
		for row := range r.Dy() {
			move(row)
		}
	}
	return nil
}
