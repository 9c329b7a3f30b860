package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"sage/catalog"
	"sage/runtime"
	"sage/viewer"
)

// Options are a Manager's settings. All but Observer and Network are required; the defaults are
// those of the program's flags.
type Options struct {
	// Catalog gives the catalog in force; it is asked at every start.
	Catalog func() *catalog.Catalog
	// DataDir is where settings are kept; it is made when missing.
	DataDir string
	// BaseName begins the name of every container and volume, Instance tells
	// this daemon's containers from those of other daemons on the same engine.
	BaseName, Instance string
	// Network is the engine's network for desktops; empty means its default.
	Network string
	// PublishIP is the host's address on which ports are published. The zero value
	// publishes none, for an engine whose containers this process reaches on Network.
	PublishIP netip.Addr
	// PortStart (inclusive) and PortEnd (exclusive) are the range of host ports.
	PortStart, PortEnd int
	// StartTimeout bounds the time from create to the first answer,
	// ImageTimeout a pull or build before it.
	StartTimeout, ImageTimeout time.Duration
	// MaxDesktops is how many there may be, with those that come up or go away; zero
	// for any number. StartsAtOnce is how many may come up at the same time, at
	// least 1; the others wait, each at most QueueTimeout.
	MaxDesktops, StartsAtOnce int
	QueueTimeout              time.Duration
	// FirstClientGrace is how long a desktop waits for its first client,
	// IdleTimeout how long it stays after the last one has left. An app may have
	// its own. MaxLifetime ends a desktop in any case; zero means never.
	FirstClientGrace, IdleTimeout, MaxLifetime time.Duration
	// StopGrace is the time that a desktop's programs have to end by themselves.
	StopGrace time.Duration
	// LastPictures keeps what a desktop showed when it was stopped.
	LastPictures bool
	// BuildArgs replace build arguments of the catalog that have the same name.
	BuildArgs map[string]string
	// ReconcileInterval is how often the engine's list is compared with ours.
	ReconcileInterval time.Duration
	Logger            *slog.Logger
	// Observer may be nil.
	Observer Observer
}

// Manager keeps the desktops of one daemon. Its methods may be called from any
// number of goroutines; a call for one uid never waits for another uid's.
type Manager struct {
	rt     runtime.Runtime
	opts   Options
	log    *slog.Logger
	ports  *ports
	store  *store
	key    key
	images *Images
	// began is when the Manager was made.
	began time.Time

	// ctx is the life of everything that a Manager does on its own account:
	// starts, stops, the monitor. cancel ends it, work counts it.
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
	// idle is closed when a closed Manager does nothing any more.
	idle    chan struct{}
	endOnce sync.Once
	// pixels bound the pictures that are in memory, taking shares those of one desktop.
	pixels pixels
	taking singleflight.Group
	// looks are those at the containers of desktops whose address is handed out.
	looks singleflight.Group
	// kick asks the monitor to reconcile at once.
	kick chan struct{}

	// mu guards what follows, and every *desktop that it leads to. It is never
	// held over a call to the engine or to the file system.
	mu sync.Mutex
	// draining starts no desktop any more, closing begins nothing at all.
	draining, closing bool
	outage            *outage
	desktops          map[string]*desktop // by uid; a uid that is not here is Absent
	tokens            map[string]string   // token, and that of the view-only link -> uid
	watches           map[*Watch]struct{}
	queue             queue
	// unmet are the uids whose containers run, but could not be made desktops in the
	// last round of reconciling, and why.
	unmet map[string]error
	// reported are the damaged containers that were spoken of.
	reported map[runtime.ID]bool
}

// desktop is what the Manager knows of one uid.
type desktop struct {
	uid   string
	state State
	// changed is closed when the state changes; see Manager.setState.
	changed chan struct{}
	// attempt is the start that is waited for, turn its place in the queue; both are
	// nil for a desktop that was adopted when it answered, turn for every adopted one.
	attempt *attempt
	turn    *turn

	identity
	id        runtime.ID
	container string
	hostPorts []uint16
	// desk is what its viewers share; nil before it is Ready, and where they are
	// not understood.
	desk *viewer.Desk
	// ctx ends when the desktop does, and with it every stream.
	ctx    context.Context
	cancel context.CancelCauseFunc

	policy policy
	// clients are the open streams, viewers those of the primary endpoint, viewOnly
	// those of the view-only link.
	clients, viewers, viewOnly int
	purge                      purge
	// next is what is started when a Stopping one is gone, successor that start.
	next      *plan
	successor *attempt
	// homeLost says that its uid had a home before, which was gone at its start.
	homeLost bool
	// pictureFailed is when a picture of it did not come in time, and pictureFailure
	// what was wrong; zero where that has not happened.
	pictureFailed  time.Time
	pictureFailure error
	// pictured says that its first client has been sent a picture.
	pictured bool
	// sample is what it used when somebody asked last.
	sample runtime.Stats
	// created is when the start began, born when the container ran, ready when the
	// desktop answered or was adopted, came when it had a client after having none,
	// left when the last client went, failed when the failure was; zero where that
	// has not happened.
	created, born, ready, came, left, failed time.Time
	// phase is that of the start that is under way.
	phase Phase
	// progress is the last word on the image, while Preparing; image is how far it
	// has come, nil where nothing is done about it.
	progress string
	image    *ImageStatus
	failure  *StartError
}

// attempt is one start that any number of callers wait for.
type attempt struct {
	done chan struct{} // closed at the end
	err  error         // set before done is closed
	// cancel ends the start early.
	cancel context.CancelCauseFunc
}

// New makes a Manager. Call Recover and then Run before anybody uses it.
func New(rt runtime.Runtime, opts Options) (*Manager, error) {
	store, err := newStore(opts.DataDir, opts.Logger)
	if err != nil {
		return nil, err
	}
	key, made, err := loadKey(opts.DataDir)
	if err == nil && made {
		err = store.expectEarlier()
	}
	if err != nil {
		return nil, err
	}
	if opts.Observer == nil {
		opts.Observer = unobserved{}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Manager{
		rt:       rt,
		opts:     opts,
		log:      opts.Logger,
		ports:    newPorts(opts.PortStart, opts.PortEnd),
		store:    store,
		key:      key,
		began:    time.Now(),
		images:   NewImages(rt, opts.Catalog, opts.BuildArgs),
		ctx:      ctx,
		cancel:   cancel,
		idle:     make(chan struct{}),
		kick:     make(chan struct{}, 1),
		pixels:   pixels{live: semaphore.NewWeighted(picturePixels), last: semaphore.NewWeighted(picturePixels)},
		outage:   newOutage(),
		desktops: map[string]*desktop{},
		tokens:   map[string]string{},
		watches:  map[*Watch]struct{}{},
		queue:    queue{free: opts.StartsAtOnce},
		reported: map[runtime.ID]bool{},
	}, nil
}

// Ping asks the engine whether it answers, and tells whether desktops can be
// started.
func (m *Manager) Ping(ctx context.Context) (runtime.Info, error) {
	info, err := m.rt.Ping(ctx)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		err = m.refusal("")
	}
	return info, err
}

// setState moves a desktop on. The Manager's lock is held. A step that the
// table does not have is a defect of this package, so it panics.
func (m *Manager) setState(d *desktop, to State) {
	if !d.state.CanBecome(to) {
		panic("session: " + d.uid + " cannot go from " + string(d.state) + " to " + string(to))
	}
	m.log.Debug("session", "uid", d.uid, "from", d.state, "to", to)
	d.state = to
	if to == Ready || to == Stopping {
		m.quit(d.turn) // Its start is over, however it ended.
	}
	close(d.changed)
	d.changed = make(chan struct{})
	m.tell(d.uid)
}

// fail ends a desktop with a reason, which is kept for a while. The Manager's
// lock is held.
func (m *Manager) fail(d *desktop, failure *StartError) {
	d.failure, d.failed = failure, time.Now()
	m.setState(d, Failed)
}

// forget drops a desktop that has ended. The Manager's lock is held.
func (m *Manager) forget(d *desktop) {
	m.setState(d, Absent)
	if m.desktops[d.uid] == d {
		delete(m.desktops, d.uid)
	}
}

// await blocks until c is closed or ctx ends.
func await(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// awaitChange waits until d's state is another one. It gives up when the engine
// is away, and when the Manager closes, which closing tells: the beginning of it
// or its end. The Manager's lock is held, but not while it waits.
func (m *Manager) awaitChange(ctx context.Context, d *desktop, closing <-chan struct{}) error {
	changed, outage := d.changed, m.outage
	m.mu.Unlock()
	defer m.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-closing:
		return ErrClosing
	case <-outage.begun:
		return outage.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Drain lets no further desktop be started, and waits for the starts that are
// under way, at most until ctx ends. From now on Start gives ErrClosing where it
// would have to make a desktop; those that run are found as before.
func (m *Manager) Drain(ctx context.Context) error {
	m.mu.Lock()
	m.draining = true
	var starts []*attempt
	for _, d := range m.desktops {
		if d.state == Preparing || d.state == Starting {
			starts = append(starts, d.attempt)
		}
	}
	m.mu.Unlock()
	for _, a := range starts {
		if err := await(ctx, a.done); err != nil {
			return fmt.Errorf("drain with %d starts under way: %w", len(starts), err)
		}
	}
	return nil
}

// Close ends what the Manager does and waits for it, at most until ctx ends.
// Desktops go on, starts that are under way are undone, streams are cut. After
// it every start gives ErrClosing.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	m.cancel(ErrClosing)
	m.endOnce.Do(func() {
		go func() {
			m.work.Wait()
			close(m.idle)
		}()
	})
	return await(ctx, m.idle)
}
