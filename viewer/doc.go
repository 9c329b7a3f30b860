// Package viewer is what one viewer of a desktop may do. It stands between a client and an RFB server, does the
// handshake in both their places, and then looks at what the client sends.
//
// Promises, for each connection and its [Policy]:
//
//   - a view-only viewer moves nothing: keys, pointer, clipboard texts, sizes and whatever else acts are dropped here,
//     whatever its browser was told;
//   - clipboard texts go in the directions that the policy names and in no other;
//   - of several viewers that ask for sizes of the desktop, one holds it; the others are told the size in force;
//   - the server gets whole messages: what is put in between is put at the boundary of two messages;
//   - the server of a restricted viewer gets only messages that Sage has written from the fields that it understood, each
//     with the length that Xtigervnc and TurboVNC's Xvnc read;
//   - a message that is not understood is never guessed at: the connection of a viewer without restrictions goes on
//     without being looked at, any other one ends with an error.
//
// What the server sends is not looked at, unless the policy holds its clipboard back ([Viewer.FiltersServer]).
//
// It knows RFB and connections: not WebSocket, not sessions, not containers.
package viewer
