package main

import (
	"context"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/worker"
	"throughline.dev/throughline/workflows"
)

// copywriter writes subjects; without a model it has no writer.
func (p *process) copywriter() *activities.Copywriter {
	c := &activities.Copywriter{Sources: subjectSources{Store: p.store, brands: brandPort{Store: p.store, fallback: p.config.Brand}}, Usage: p.store, Now: p.now}
	if writer := p.subjectWriter(); writer != nil {
		c.Writer = writer
	}
	return c
}

// subjectSources shows the model the brand of the variables as long as nobody has saved one.
type subjectSources struct {
	*store.Store
	brands brandPort
}

func (s subjectSources) FindBrand(ctx context.Context) (email.BrandVersion, error) {
	return s.brands.FindBrand(ctx)
}

func (p *process) subjectReviews() *activities.SubjectReviews {
	return &activities.SubjectReviews{Shelf: p.store, Templates: p.store, Copywriter: p.writer, Now: p.now}
}

// review is what a review of a set is started with.
func review(set email.SubjectSet) workflows.SubjectReviewInput {
	return workflows.SubjectReviewInput{
		SetID: set.ID, Template: set.Template, TemplateVersion: set.TemplateVersion, Locale: set.Locale, Segment: set.Segment, Brief: set.Brief, Written: set.Written,
	}
}

func (p *process) reviewer() *worker.Reviewer {
	reviews := p.subjectReviews()
	return &worker.Reviewer{
		Client: p.temporal, TaskQueue: p.config.TaskQueue, Every: reviewEvery, Now: p.now, Log: p.log.With("part", "subjects"),
		Late: func(ctx context.Context, before time.Time, limit int) ([]workflows.SubjectReviewInput, error) {
			sets, err := p.store.LateSubjects(ctx, before, limit)
			var late []workflows.SubjectReviewInput
			for _, set := range sets {
				late = append(late, review(set))
			}
			return late, err
		},
		Settle: func(ctx context.Context, before time.Time, limit int) (int, error) {
			return reviews.Settle(ctx, p.store, before, limit)
		},
	}
}

// startReview starts the review of a set.
func (p *process) startReview(ctx context.Context, set email.SubjectSet) error {
	return p.reviewer().Start(ctx, review(set))
}

func (p *process) subjectOrders() *activities.SubjectOrders {
	return &activities.SubjectOrders{Cache: p.store, StartReview: p.startReview, Log: p.log.With("part", "subjects"), Now: p.now}
}

// subjects is what the api knows of subjects.
func (p *process) subjects() *api.TemporalSubjects {
	port := subjectPort{Store: p.store, reviews: p.subjectReviews(), writer: p.writer, orders: p.subjectOrders()}
	return &api.TemporalSubjects{Client: p.temporal, SubjectLines: port}
}

func (p *process) review(ctx context.Context) error {
	p.reviewer().Run(ctx)
	return nil
}

// subjectPort shows the api how subjects stand, and carries decisions that no review waits for.
type subjectPort struct {
	*store.Store
	reviews *activities.SubjectReviews
	writer  *activities.Copywriter
	orders  *activities.SubjectOrders
}

func (p subjectPort) ListSubjects(ctx context.Context, template string) ([]email.SubjectSet, error) {
	sets, err := p.Store.ListSubjects(ctx, template)
	if err != nil {
		return nil, err
	}
	return sets, p.CountFallbacks(ctx, sets)
}

func (p subjectPort) DecideSubjects(ctx context.Context, setID string, numbers []int, state email.LineState) (email.SubjectSet, error) {
	return p.reviews.Decide(ctx, activities.DecideSubjectsInput{SetID: setID, Numbers: numbers, State: string(state)}) //nolint:wrapcheck // the api says what it was about
}

func (p subjectPort) HasModel() bool { return p.writer.Writer != nil }

// PrepareSubjects has the subjects of a journey's mails written that everybody gets, before the first contact wants them.
func (p subjectPort) PrepareSubjects(ctx context.Context, definition *journey.Definition) error {
	if _, why, err := p.writer.Settings(ctx); err != nil || why != "" {
		return err //nolint:wrapcheck // the api says what it was about
	}
	for i := range definition.Steps {
		send := definition.Steps[i].Send
		if send == nil || send.AISubject == nil {
			continue
		}
		template, err := p.FindTemplate(ctx, send.Template)
		if err != nil {
			return err
		}
		if _, err := p.orders.Want(ctx, activities.SourceOf(template, send, "", false)); err != nil {
			return err //nolint:wrapcheck // the api says what it was about
		}
	}
	return nil
}
