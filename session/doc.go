// Package session is WHO has which desktop: it starts a container for a uid,
// hands it out when it answers, counts the clients that look at it, and takes
// it away when nobody has looked for a while.
//
// It promises that a uid has at most one container, that a container with
// connected clients is never stopped for being idle, that what a failed start
// made is taken away again, and that desktops outlive the daemon: a Manager
// finds the ones that its predecessor left (see Manager.Recover).
//
// It must not know which engine runs the containers, HTTP, or how a stream is
// framed: it drives any runtime.Runtime, and gives out connections.
package session
