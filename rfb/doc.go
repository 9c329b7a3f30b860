// Package rfb is a small client of the Remote Framebuffer protocol, RFB (RFC 6143), versions 3.3, 3.7 and 3.8.
//
// It answers two questions that Sage asks a desktop: "do you speak RFB yet?" ([ReadGreeting], the readiness of a
// session) and "what do you show?" ([Client.Capture], tests and screenshots), and it can press keys and move the
// pointer. It is not a viewer: one security type (None), encodings that need no decoder (Raw, CopyRect), no clipboard.
//
// Promises: whatever the server sends, the answer is an error, never a panic; nothing is allocated on the server's
// word beyond [Options.MaxPixels] pixels and a few kilobytes of text; every wait ends with its context.
//
// It knows connections only: not sessions, not containers, not WebSocket. A WebSocket that is dressed up as a
// [net.Conn] serves as well as a TCP connection.
package rfb
