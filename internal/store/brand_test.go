package store_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestBrand(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	none, err := s.FindBrand(ctx)
	require.NoError(t, err)
	require.Equal(t, email.BrandVersion{}, none)

	acme := email.Brand{Name: "Acme", Link: "https://acme.test", Logo: "https://acme.test/l.png", Copyright: "© Acme", Address: "1 Example Street", Color: "#1d4ed8"}
	seven, zero, one := int64(7), int64(0), int64(1)
	_, err = s.SaveBrand(ctx, acme, &seven, start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	first, err := s.SaveBrand(ctx, acme, &zero, start)
	require.NoError(t, err)
	require.Equal(t, acme, first.Document)
	require.Equal(t, int64(1), first.Revision)
	again, err := s.SaveBrand(ctx, acme, &zero, start.Add(time.Hour))
	require.NoError(t, err, "the same again, as after a lost answer")
	require.Equal(t, first, again)

	other := acme
	other.Name = "Acme & Sons"
	_, err = s.SaveBrand(ctx, other, &zero, start)
	requireFault(t, err, fault.Conflict, "stale_revision")
	second, err := s.SaveBrand(ctx, other, &one, start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, int64(2), second.Revision)
	found, err := s.FindBrand(ctx)
	require.NoError(t, err)
	require.Equal(t, second, found)
}

// Of those who save at once upon the same revision, one wins; nobody's save is lost without a word.
func TestBrandSavedAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var won atomic.Int64
	group, ctx := errgroup.WithContext(t.Context())
	for n := range 6 {
		group.Go(func() error {
			zero := int64(0)
			_, err := s.SaveBrand(ctx, email.Brand{Name: strconv.Itoa(n), Link: "https://acme.test"}, &zero, start)
			if err == nil {
				won.Add(1)
			} else if fault.KindOf(err) != fault.Conflict {
				return err
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, int64(1), won.Load())
	found, err := s.FindBrand(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), found.Revision)
}
