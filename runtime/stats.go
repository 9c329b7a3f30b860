package runtime

import "time"

// Stats are what a container uses at one moment.
type Stats struct {
	// At is when that was, by the engine's clock.
	At time.Time
	// CPU is the processor time that all of its processes have used since it was
	// started.
	CPU time.Duration
	// MemoryBytes is its memory in use, without files that the kernel keeps only
	// because there is room, where the engine tells them apart. MemoryLimitBytes
	// bounds it: the container's limit, or all memory of the host.
	MemoryBytes, MemoryLimitBytes int64
	// PIDs is the number of processes and threads.
	PIDs int64
	// NetworkRxBytes has come to it and NetworkTxBytes left it; both are negative
	// where the engine does not tell.
	NetworkRxBytes, NetworkTxBytes int64
}
