// Package ws is the framing of WebSocket (RFC 6455 section 5), as far as a gateway needs it: heads of frames, masking,
// close codes, and a [Decoder] that is fed with bytes as they come.
//
// It promises: no byte is copied more than once and nothing is collected but the payload of a control frame, so that the
// size of a message costs no memory; nothing is allocated per frame; whatever comes, the answer is an error and never a
// panic.
//
// It knows neither connections nor HTTP nor what is in the messages. It has no extensions: what is sent here is
// compressed already.
package ws
