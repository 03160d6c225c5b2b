package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// alarm is the one timer of a journey, for the earliest wake-up.
type alarm struct {
	at     *time.Time
	timer  workflow.Future
	cancel workflow.CancelFunc
}

// set moves the alarm. The same time keeps the running timer.
func (a *alarm) set(ctx workflow.Context, at *time.Time) {
	if a.timer != nil && at != nil && a.at.Equal(*at) && !a.timer.IsReady() {
		return
	}
	if a.timer != nil && !a.timer.IsReady() {
		a.cancel()
	}
	a.at, a.timer, a.cancel = at, nil, nil
	if at == nil {
		return
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	a.cancel = cancel
	// At least a millisecond: a deadline that has just passed is a timer that fires at once, never none.
	a.timer = workflow.NewTimerWithOptions(timerCtx, max(at.Sub(workflow.Now(ctx)), time.Millisecond),
		workflow.TimerOptions{Summary: "wait until " + at.UTC().Format("2006-01-02 15:04:05 MST")})
}

// rang tells whether the time has come.
func (a *alarm) rang() bool { return a.timer != nil && a.timer.IsReady() }
