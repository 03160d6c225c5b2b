// Command devstack is being laid: see the next commit.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"throughline.dev/throughline/devstack/internal/temporal"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := temporal.Run(ctx, temporal.Options{Dir: os.Args[1], Port: 17233, UIPort: 18233, Namespace: "throughline"}, func() { fmt.Println("ready") })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
