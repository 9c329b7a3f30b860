package podman

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings/containers"
	"github.com/containers/podman/v5/pkg/errorhandling"

	"sage/runtime"
)

const (
	// endNoticed is how long the engine may take to notice that a container's
	// program has ended, lookAgain how often it is asked meanwhile.
	endNoticed = 5 * time.Second
	lookAgain  = 20 * time.Millisecond
)

// look asks the engine for a container. Between a program's end and the moment
// when the engine notices, it fails to find the process that it wants to
// describe: then it is asked again.
func look(ctx context.Context, id runtime.ID) (*define.InspectContainerData, error) {
	patience := time.NewTimer(endNoticed)
	defer patience.Stop()
	for {
		found, err := containers.Inspect(ctx, string(id), nil)
		if err == nil {
			return found, whole(found)
		}
		if !ending(err) {
			return nil, err
		}
		again := time.NewTimer(lookAgain)
		select {
		case <-again.C:
		case <-patience.C:
			again.Stop()
			return nil, err
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

// whole refuses a description without the parts that are read, and leaves out networks
// that are named and not described.
func whole(found *define.InspectContainerData) error {
	if found == nil || found.State == nil {
		return errors.New("the engine's description of the container is incomplete")
	}
	if found.NetworkSettings != nil {
		maps.DeleteFunc(found.NetworkSettings.Networks, func(_ string, n *define.InspectAdditionalNetwork) bool { return n == nil })
	}
	return nil
}

// ending tells whether the engine missed the container's process: it reads the
// process's control group from /proc.
func ending(err error) bool {
	var model *errorhandling.ErrorModel
	if !errors.As(err, &model) || !strings.Contains(model.Message, "/proc/") || !strings.Contains(model.Message, "/cgroup: ") {
		return false
	}
	return strings.Contains(model.Message, "no such process") || strings.Contains(model.Message, "no such file or directory")
}
