// Package stream is the way to the pixels: the WebSocket gateway between a viewer's browser and a desktop's endpoint.
//
// A request is checked, the desktop behind its token is found and dialled, and only then the upgrade is answered, so
// that everything which can fail fails as an HTTP answer. Endpoints are of three kinds:
//
//   - websocket: the image speaks WebSocket itself (websockify). The handshake is passed on and afterwards bytes are
//     copied between the two connections; no frame is looked at.
//   - rfb and tcp: the image speaks a plain byte stream. Sage frames it (package ws): each read of the desktop's bytes is
//     one binary message, the client's binary messages are unwrapped. Sage pings, so proxies on the way keep the line and
//     clients that have vanished are found.
//   - websocket-messages: the image speaks WebSocket, and what its messages hold is taken out and framed anew.
//
// Each direction of a stream is a task: code that waits, written straight down. On Linux a few loops wait for
// the connections of all streams and continue the tasks; elsewhere, on a single processor, and for connections that are no
// sockets, each is a goroutine that waits for itself. Bytes in bulk are moved by the kernel and not copied, where it can
// do that.
//
// A [Guard] may stand between client and desktop where Sage frames. It understands what they say; the gateway does not.
//
// Promises: each stream is counted exactly once, from before it is dialled until everything about it has ended
// ([Attachment.Release]); nothing is queued, a slow viewer slows its own desktop's stream and no other; a quiet stream
// holds two sockets, two goroutines and no buffer; streams end when the desktop ends, when the gateway is shut down
// ([Gateway.Shutdown]), and when the peer is gone.
//
// It knows neither engines nor catalog nor sessions, only the small interface [Sessions]; and of HTTP only the upgrade:
// how an error looks is up to [Options.WriteError].
package stream
