// Package rfb speaks the Remote Framebuffer protocol, RFB (RFC 6143), versions 3.3, 3.7 and 3.8. Where the RFC ends, the
// community's version of the specification goes on: https://github.com/rfbproto/rfbproto, called rfbproto here.
//
// It has three parts:
//
//   - a small client that answers what Sage asks a desktop: "do you speak RFB yet?" ([ReadGreeting], the readiness of a
//     session) and "what do you show?" ([Client.Capture], screenshots and tests); it can press keys and move the
//     pointer. It is not a viewer: security None and VncAuth, lossless encodings, no clipboard.
//   - both sides of the handshake, for who stands between a client and a server ([Authenticate], [Initialise], [Accept]);
//   - two scanners that find the messages in what a client says ([ClientScanner]) and in what a server says
//     ([ServerScanner]), without decoding or collecting them.
//
// Promises: whatever the other side sends, the answer is an error, never a panic; nothing is allocated on its word
// beyond [Options.MaxPixels] pixels, a few kilobytes of text and five zlib windows; one picture costs at most what
// [ErrLimit] says; every wait of the client ends with its context; a scanner never guesses where a message ends.
//
// It knows connections only: not sessions, not containers, not WebSocket. A WebSocket that is dressed up as a
// [net.Conn] serves as well as a TCP connection.
package rfb
