package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// closeWriter is a connection whose two directions end separately.
type closeWriter interface{ CloseWrite() error }

// server is the program in its serving modes.
type server struct {
	sys  System
	exit chan int
	open sync.WaitGroup

	mu      sync.Mutex
	closers map[io.Closer]struct{}
	done    bool
}

// serve answers HTTP and echoes until ctx ends or /exit is asked for.
//
//	GET  /env              the environment, a JSON array of "name=value"
//	GET  /hostname         the host name
//	GET  /read?path=       a file
//	POST /write?path=      writes the body to a file
//	GET  /size?path=       the size of the file system, in bytes
//	GET  /limits           Limits
//	GET  /privileges       Privileges
//	POST /listen?port=     echoes on one more port from now on
//	POST /burn?time=       spends processor time, a Go duration
//	POST /exit?code=       ends
func serve(ctx context.Context, sys System) int {
	s := &server{sys: sys, exit: make(chan int, 1), closers: map[io.Closer]struct{}{}}
	web, err := sys.Listen(HTTPPort)
	if err != nil {
		fmt.Fprintln(sys.Stderr(), "testapp:", err)
		return codeFailed
	}
	if err := s.echo(EchoPort); err != nil {
		web.Close()
		fmt.Fprintln(sys.Stderr(), "testapp:", err)
		return codeFailed
	}
	httpServer := &http.Server{Handler: s.routes(), ReadHeaderTimeout: time.Minute}
	s.open.Go(func() {
		if err := httpServer.Serve(web); err != nil && !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(sys.Stderr(), "testapp:", err)
		}
	})

	code := 0
	select {
	case <-ctx.Done():
	case code = <-s.exit:
	}
	httpServer.Close()
	s.close()
	s.open.Wait()
	return code
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /env", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, s.sys.Environ())
	})
	mux.HandleFunc("GET /hostname", func(w http.ResponseWriter, _ *http.Request) {
		name, err := s.sys.Hostname()
		answer(w, []byte(name), err)
	})
	mux.HandleFunc("GET /read", func(w http.ResponseWriter, r *http.Request) {
		data, err := s.sys.ReadFile(r.FormValue("path"))
		answer(w, data, err)
	})
	mux.HandleFunc("POST /write", func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Query().Get("path")
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = s.sys.WriteFile(path, data)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("GET /size", func(w http.ResponseWriter, r *http.Request) {
		size, err := s.sys.Size(r.FormValue("path"))
		answer(w, strconv.AppendInt(nil, size, 10), err)
	})
	mux.HandleFunc("GET /limits", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, s.sys.Limits())
	})
	mux.HandleFunc("GET /privileges", func(w http.ResponseWriter, _ *http.Request) {
		privileges, err := s.sys.Privileges()
		if err != nil {
			answer(w, nil, err)
			return
		}
		writeJSON(w, privileges)
	})
	mux.HandleFunc("POST /listen", func(w http.ResponseWriter, r *http.Request) {
		port, err := strconv.ParseUint(r.FormValue("port"), 10, 16)
		if err == nil {
			err = s.echo(uint16(port))
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /burn", func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.FormValue("time"))
		if err == nil {
			s.sys.Burn(d)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /exit", func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(r.FormValue("code"))
		if err == nil {
			select {
			case s.exit <- code:
			default:
			}
		}
		answer(w, nil, err)
	})
	return mux
}

// echo sends everything back that comes in on a port, and ends its direction
// when the other side has ended its own.
func (s *server) echo(port uint16) error {
	listener, err := s.sys.Listen(port)
	if err != nil {
		return err
	}
	if !s.keep(listener) {
		return net.ErrClosed
	}
	s.open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if !s.keep(conn) {
				return
			}
			s.open.Go(func() {
				defer s.drop(conn)
				if _, err := io.Copy(conn, conn); err != nil {
					return
				}
				if half, ok := conn.(closeWriter); ok {
					_ = half.CloseWrite() // The peer sees the end in any case.
				}
			})
		}
	})
	return nil
}

// keep remembers what close has to close; it closes it at once when the server
// is closed already, and says so.
func (s *server) keep(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		c.Close()
		return false
	}
	s.closers[c] = struct{}{}
	return true
}

func (s *server) drop(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.closers, c)
	c.Close()
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
	for c := range s.closers {
		c.Close()
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// answer writes data, or the error with status 422.
func answer(w http.ResponseWriter, data []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data) // The client may be gone.
}
