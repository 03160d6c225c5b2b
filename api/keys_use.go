package api

import (
	"context"
	"log/slog"
	"time"
)

// keyUse writes when keys were last used, behind the requests: nobody waits for it, and what finds no room is left to the next time that
// the key is looked up.
type keyUse struct {
	keys Keys
	log  *slog.Logger
	now  func() time.Time
	room chan struct{} // filled while something is written
}

const (
	keyUseMax     = 2 // of the database's connections: the rest is for events
	keyUseTimeout = 5 * time.Second
)

func newKeyUse(keys Keys, log *slog.Logger, now func() time.Time) *keyUse {
	return &keyUse{keys: keys, log: log, now: now, room: make(chan struct{}, keyUseMax)}
}

func (u *keyUse) note(key APIKey) {
	at := u.now()
	select {
	case u.room <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-u.room }()
		ctx, cancel := context.WithTimeout(context.Background(), keyUseTimeout) //nolint:forbidigo // the request does not wait for it
		defer cancel()
		if err := u.keys.TouchKey(ctx, key.ID, at); err != nil {
			u.log.Warn("use of a key not noted", "key_id", key.ID, "error", err)
		}
	}()
}

// drain waits until nothing is being written, or ctx ends.
func (u *keyUse) drain(ctx context.Context) error {
	for taken := range keyUseMax {
		select {
		case u.room <- struct{}{}:
		case <-ctx.Done():
			u.free(taken)
			return ctx.Err()
		}
	}
	u.free(keyUseMax)
	return nil
}

func (u *keyUse) free(taken int) {
	for range taken {
		<-u.room
	}
}
