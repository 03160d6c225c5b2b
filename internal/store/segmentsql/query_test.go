package segmentsql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/audience/conditiontest"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/segmentsql"
	"throughline.dev/throughline/internal/store/storetest"
)

const (
	people     = 30
	conditions = 30 // asked of each world
)

// world is people in memory and the same people in PostgreSQL.
type world struct {
	model  *sales.Model
	people map[string]*conditiontest.Person
}

// TestSQLAndMemoryAnswerTheSame draws people and conditions, and asks both.
func TestSQLAndMemoryAnswerTheSame(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	cache := audience.NewConditionCache(10_000)
	var said tally
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorld(r)
		w.store(t.Context(), r, conn)
		for i := range conditions {
			usual := i%2 == 0
			source := conditiontest.Condition
			if usual {
				source = conditiontest.Usual
			}
			text := source(r, 2)
			condition, err := cache.Compile(text)
			if err != nil {
				continue // such as one that is too costly
			}
			w.compare(t.Context(), r, conn, condition, &said, usual)
		}
	})
	t.Logf("%+v", said)
	require.Greater(t, said.asked, 2000, "too little was asked to show anything")
	require.Greater(t, said.usualExact*5, said.usual*4, "what marketers write is answered by SQL alone")
	require.Greater(t, said.in*10, said.answers, "too few answers were yes")
	require.Greater(t, (said.answers-said.in)*10, said.answers, "too few answers were no")
	require.Greater(t, said.settled*2, said.answers, "most of the answers come from SQL")
}

type tally struct{ asked, usual, usualExact, answers, in, settled int }

// compare asks PostgreSQL and every person.
func (w *world) compare(ctx context.Context, t require.TestingT, conn *pgx.Conn, condition *audience.Condition, said *tally, usual bool) {
	query := segmentsql.Compile(condition, w.model, conditiontest.Now)
	rows, err := conn.Query(ctx, query.SQL, query.Args...)
	require.NoError(t, err, "%s\n%s", condition, query.SQL)
	open := map[string]bool{}
	var id uuid.UUID
	var left bool
	_, err = pgx.ForEachRow(rows, []any{&id, &left}, func() error {
		open[id.String()] = left
		return nil
	})
	require.NoError(t, err, "%s\n%s\n%v", condition, query.SQL, query.Args)
	said.asked++
	if usual {
		said.usual++
		if query.Exact {
			said.usualExact++
		}
	}
	for id, person := range w.people {
		standing, err := condition.Stands(person)
		require.NoError(t, err)
		left, candidate := open[id]
		require.False(t, left && query.Exact, "an exact query leaves nobody open")
		said.answers++
		if standing.Holds {
			said.in++
		}
		if !left {
			said.settled++
			require.Equal(t, standing.Holds, candidate, "%s\n%s\n%s\n%v", condition, dump(person), query.SQL, query.Args)
		}
	}
}

func dump(p *conditiontest.Person) string {
	raw, _ := json.MarshalIndent(p, "", " ")
	return string(raw)
}

const modelYAML = `
name: Trial
personas: [{key: founder, when: 'contact.role == "founder"'}]
engagement:
  groups:
    - {key: product, cap: 8, half_life: 2d, rules: [{id: a, event: Login, points: 1}]}
    - {key: site, half_life: 6h, rules: [{id: b, event: Purchase, points: -2}]}
    - {key: mail, cap: 4, rules: [{id: c, event: Opened, points: 1}]}
`

func drawWorld(r *rapid.T) *world {
	w := &world{people: map[string]*conditiontest.Person{}}
	if rapid.Bool().Draw(r, "a model") {
		def, problems := sales.Parse([]byte(modelYAML))
		require.NotNil(r, def, "%v", problems)
		var err error
		w.model, err = sales.Compile(def, 1)
		require.NoError(r, err)
	}
	var companies []*conditiontest.Company
	for i := range 3 {
		companies = append(companies, &conditiontest.Company{
			ID: uuid.NewString(), GroupID: fmt.Sprint("g", i), Traits: conditiontest.Fields(r), Score: rapid.IntRange(0, 9).Draw(r, "company score"),
		})
	}
	shared := map[string][]conditiontest.Object{}
	for _, c := range companies {
		shared[c.ID] = conditiontest.ObjectsOf(r, "", c.ID)
	}
	for range people {
		p := &conditiontest.Person{C: conditiontest.Contact(r, uuid.NewString()), Events: conditiontest.Events(r), Time: conditiontest.Now}
		p.Objects = conditiontest.ObjectsOf(r, p.C.ID, "")
		if rapid.Bool().Draw(r, "in a company") {
			p.Of = rapid.SampledFrom(companies).Draw(r, "company")
			p.Objects = append(p.Objects, shared[p.Of.ID]...)
		}
		w.people[p.C.ID] = p
	}
	return w
}

// state draws what a person has earned, and tells the person what that is worth.
func (w *world) state(p *conditiontest.Person) sales.ScoreState {
	seed := int(p.C.ID[0]) + int(p.C.ID[5])
	state := sales.ScoreState{Fit: seed % 5, Points: seed%7 - 3}
	if seed%3 > 0 {
		state.Engagement = map[string]sales.Decayed{}
		for i, group := range []string{"product", "site", "mail", "gone"} {
			if n := seed + i*13; n%4 > 0 {
				at := conditiontest.Now.Add(-time.Duration(n*n%5000) * time.Hour)
				state.Engagement[group] = sales.Decayed{Value: float64(n%23) - 4.5, At: at}
			}
		}
	}
	if seed%4 == 0 {
		state.Persona = "founder"
	}
	p.Worth, p.Who = w.model.Score(state, conditiontest.Now), state.Persona
	return state
}

func (w *world) store(ctx context.Context, t require.TestingT, conn *pgx.Conn) {
	batch := &pgx.Batch{}
	batch.Queue("TRUNCATE contacts, companies, objects, events CASCADE")
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	known := map[string]bool{}
	for id, p := range w.people {
		var company any
		if c := p.Of; c != nil {
			company = c.ID
			if !known[c.ID] {
				batch.Queue("INSERT INTO companies (id, group_id, traits, score, created_at, updated_at) VALUES ($1, $2, $3, $4, now(), now())", c.ID, c.GroupID, c.Traits, c.Score)
			}
			known[c.ID] = true
		}
		batch.Queue(`INSERT INTO contacts (id, user_id, email, email_key, traits, timezone, locale, stage, created_at, updated_at, score_state, company_id, email_verdict, email_reasons)
			VALUES ($1, $2, $3, lower($3), $4, $5, $6, $7, $8, $8, $9, $10, $11, $12)`,
			id, null(p.C.UserID), null(p.C.Email), p.C.Traits, null(p.C.Timezone), null(p.C.Locale), p.C.Stage, p.C.CreatedAt, w.state(p), company, p.C.EmailVerdict, p.C.EmailReasons)
		for i, e := range p.Events {
			batch.Queue(`INSERT INTO events (id, contact_id, seq, source, message_id, type, name, properties, context, occurred_at, received_at)
				VALUES ($1, $2, $3, 'test', $4, 'track', $5, $6, $7, $8, $8)`, uuid.New(), id, i+1, uuid.NewString(), e.Name, e.Properties, e.Context, e.OccurredAt)
		}
	}
	stored := map[string]bool{}
	for _, p := range w.people {
		for _, o := range p.Objects {
			if !stored[o.ID] {
				batch.Queue("INSERT INTO objects (type, id, contact_id, company_id, fields, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
					o.Type, o.ID, null(o.ContactID), null(o.CompanyID), o.Fields, o.UpdatedAt)
			}
			stored[o.ID] = true
		}
	}
	require.NoError(t, conn.SendBatch(ctx, batch).Close())
}

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(storetest.NewURL(t))
	require.NoError(t, err)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
