//go:build linux

package proc

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/stat.
const tick = 10 * time.Millisecond

// Bystanders measures what all others on the machine use, so that a reader knows what the figures are worth.
type Bystanders struct {
	began     time.Time
	busy, own time.Duration
}

// WatchBystanders begins now.
func WatchBystanders() (b Bystanders, err error) {
	b.began = time.Now()
	b.busy, b.own, err = busy()
	return b, err
}

// Share gives which part of all processors, 0 to 1, others have used since. Children of this process that have ended
// meanwhile count as others.
func (b Bystanders) Share() (float64, error) {
	all, own, err := busy()
	if err != nil {
		return 0, err
	}
	there := time.Since(b.began) * time.Duration(goruntime.NumCPU())
	return max(0, (all-b.busy-(own-b.own)).Seconds()/there.Seconds()), nil
}

// busy gives the processor time that everything, and that this process with its children, has used so far.
func busy() (all, own time.Duration, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	// cpu user nice system idle iowait irq softirq steal ... (proc(5)); steal is what other machines took.
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		all += time.Duration(ticks) * tick
	}
	own, err = cpuOfTree(os.Getpid())
	return all, own, err
}
