//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"sage/bench/internal/proc"
)

// nginxBuffers are the sizes of nginx's buffer that are tried, in KiB; 0 is what it does by itself (16 for a TCP stream,
// a page for HTTP). The rows have the one that was fastest.
func nginxBuffers() []int { return []int{0, 64, 256} }

// nginxHead is what both configurations begin with.
const nginxHead = `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
`

// nginxStream passes TCP connections on.
const nginxStream = nginxHead + `stream {
	server { listen 127.0.0.1:%[2]d; proxy_pass %[3]s; %[4]s }
}
`

// nginxHTTP passes WebSockets on, as nginx's own documentation has it.
const nginxHTTP = nginxHead + `http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		location / {
			proxy_pass http://%[3]s;
			proxy_http_version 1.1;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection upgrade;
			proxy_read_timeout 1h;
			%[4]s
		}
	}
}
`

// startNginx starts an nginx in front of upstream, with a buffer of so many KiB.
func startNginx(ctx context.Context, dir, configuration, upstream string, buffer int) (*proc.Process, string, error) {
	dir, err := os.MkdirTemp(dir, "nginx-")
	if err != nil {
		return nil, "", err
	}
	port, err := proc.FreePort()
	if err != nil {
		return nil, "", err
	}
	size := ""
	if buffer > 0 {
		size = fmt.Sprintf("proxy_buffer_size %dk;", buffer)
		if configuration == nginxHTTP {
			size += fmt.Sprintf(" proxy_buffers 8 %dk;", buffer)
		}
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, dir, port, upstream, size), 0o600); err != nil {
		return nil, "", err
	}
	p, err := proc.StartQuiet(ctx, "nginx", "-c", file, "-p", dir, "-e", "stderr")
	if err != nil {
		return nil, "", err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return p, address, p.Listens(ctx, address)
}
