package api

import (
	"net/http"
	"time"
)

// NewServer is an http.Server with time-outs: without them a slow client holds a connection for ever.
func NewServer(handler http.Handler, addr string) *http.Server {
	server := &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    32 << 10,
	}
	if h, ours := handler.(*Handler); ours {
		server.RegisterOnShutdown(func() { h.server.streams.stopping.Store(true) }) // or a long transfer would outlast any grace
	}
	return server
}
