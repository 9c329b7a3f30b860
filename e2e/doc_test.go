// Package e2e_test looks at Sage from outside, as a person and an operator do:
// the built program as a process, its HTTP API, the pictures that its desktops
// send, and the containers that it leaves on a real engine.
//
// It promises that a run takes away what it made, also when it fails. The tests
// run the program and not package daemon, because kill -9, exit codes, settings
// from the environment and what is embedded into the binary only exist there.
// They must not know more of Sage than its API, its settings, its catalog, the
// names of its volumes and the labels of its containers.
//
// SAGE_TEST_ENGINES names the engines that must be there. SAGE_TEST_ARTIFACTS
// is a directory for pictures. SAGE_TEST_BINARY is a program to be tested
// instead of the one that is built here.
package e2e_test
