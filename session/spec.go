package session

import (
	"maps"

	"sage/runtime"
)

// spec describes the container of a desktop. There is a host port for every
// endpoint, or none at all.
func (m *Manager) spec(id identity, p plan, hostPorts []uint16) runtime.Spec {
	app := p.app
	spec := runtime.Spec{
		Name:  m.opts.containerName(id.uid),
		Image: app.Image,
		// The same at every start: programs put it into the lock files that they
		// keep in the home.
		Hostname: app.ID,
		Network:  m.opts.Network,
		Env:      p.env,
		Labels:   m.opts.labels(id, m.key),
		ReadOnly: app.ReadOnly,
		Limits:   id.limits,
	}
	if id.viewing != nil && id.viewing.password != "" {
		spec.Env = maps.Clone(p.env)
		if spec.Env == nil {
			spec.Env = map[string]string{}
		}
		spec.Env[app.Viewing.PasswordEnv] = id.viewing.password
	}
	spec.Limits.ShmBytes = int64(app.Limits.Shm)
	for i, port := range hostPorts {
		spec.Ports = append(spec.Ports, runtime.PortBinding{
			ContainerPort: app.Endpoints[i].Port, HostIP: m.opts.PublishIP, HostPort: port,
		})
	}
	if id.home != "" {
		spec.Volumes = []runtime.VolumeMount{{Volume: m.opts.homeVolume(id.uid), Path: id.home}}
	}
	for _, t := range app.Tmpfs {
		spec.Tmpfs = append(spec.Tmpfs, runtime.TmpfsMount{Path: t.Path, Bytes: int64(t.Size)})
	}
	return spec
}

// homeVolume names the volume that keeps what a person did, over the lives of
// the uid's containers.
func (o *Options) homeVolume(uid string) string { return o.BaseName + uid + "-home" }
