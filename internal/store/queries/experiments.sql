-- An experiment as it stands, and what the contact was given in it before.
-- name: FindArm :one
SELECT e.revision, e.winner, e.winner_at, e.winner_by, e.draw, d.weights, d.seed, d.arms, d.at AS drawn_at, x.arm AS had_arm, x.at AS had_at, x.looked, x.converted_at
FROM experiments e
LEFT JOIN experiment_draws d ON d.experiment = e.id AND d.draw = e.draw
LEFT JOIN experiment_contacts x ON x.experiment = e.id AND x.contact_id = @contact_id
WHERE e.id = @id;

-- The first contact may come before the experiment was noted; whether a live version has it is known then.
-- name: BeginExperiment :exec
INSERT INTO experiments (id, journey, step, design, automatic, thompson, floor, live, begun_at)
VALUES (@id, @journey, @step, @design, @automatic, @thompson, @floor, false, @now) ON CONFLICT (id) DO NOTHING;

-- name: InsertExperimentContact :exec
INSERT INTO experiment_contacts (experiment, contact_id, arm, draw, counted, at, looked)
VALUES (@experiment, @contact_id, @arm, @draw, @counted, @at, @looked) ON CONFLICT (experiment, contact_id) DO NOTHING;

-- name: SaveExperiment :one
INSERT INTO experiments (id, journey, step, design, automatic, thompson, floor, live, begun_at)
VALUES (@id, @journey, @step, @design, @automatic, @thompson, @floor, true, @now)
ON CONFLICT (id) DO UPDATE SET automatic = excluded.automatic, thompson = excluded.thompson, floor = excluded.floor, live = true
RETURNING complete;

-- name: RetireExperiments :exec
UPDATE experiments SET live = false WHERE live AND NOT id = ANY(@live::text[]);

-- Those who went through a split before experiments were kept for each contact: by the first arm that they got.
-- name: CompleteSplit :exec
INSERT INTO experiment_contacts (experiment, contact_id, arm, draw, counted, at, looked)
SELECT DISTINCT ON (d.contact_id) @experiment::text, d.contact_id, d.outcome::integer, 0, true, d.at, 0
FROM decisions d JOIN enrollments e ON e.id = d.enrollment_id
WHERE d.journey = @journey AND d.step_id = @step AND d.kind = 'split' AND d.outcome ~ '^[0-9]{1,4}$' AND e.journey = @journey AND e.version = ANY(@versions::integer[])
ORDER BY d.contact_id, d.at, d.journal_id
ON CONFLICT (experiment, contact_id) DO NOTHING;

-- name: SetExperimentComplete :exec
UPDATE experiments SET complete = true WHERE id = @id;

-- name: ListExperimentIDs :many
SELECT id FROM experiments ORDER BY number;

-- name: FindExperiment :one
SELECT * FROM experiments WHERE id = @id;

-- name: ListExperiments :many
SELECT * FROM experiments WHERE number < @before AND (@journey::text = '' OR journey = @journey) ORDER BY number DESC LIMIT @max_rows;

-- name: ListExperimentsOf :many
SELECT * FROM experiments WHERE id = ANY(@ids::text[]);

-- name: ListDraws :many
SELECT * FROM experiment_draws WHERE experiment = @experiment ORDER BY draw;

-- name: ListNewestDraws :many
SELECT d.* FROM experiment_draws d JOIN experiments e ON e.id = d.experiment AND e.draw = d.draw WHERE e.id = ANY(@ids::text[]);

-- name: CountExperiment :many
SELECT draw, arm, count(*) AS entered, count(converted_at) AS converted FROM experiment_contacts WHERE experiment = @experiment AND counted GROUP BY 1, 2 ORDER BY 1, 2;

-- Who has reached a goal that has no condition, or (own) has completed the journey by its goal. Those whose time was over at the look before are
-- not looked at again.
-- name: ConvertContacts :execrows
UPDATE experiment_contacts x SET converted_at = found.at FROM (
    SELECT y.contact_id, (
        SELECT min(g.at) FROM (
            SELECT v.received_at AS at FROM events v WHERE v.contact_id = y.contact_id AND v.name = ANY(@goals::text[]) AND v.received_at > y.at
                AND v.received_at <= y.at + make_interval(0, 0, 0, 0, 0, 0, @within::float8)
            UNION ALL
            SELECT n.ended_at FROM enrollments n WHERE @own::boolean AND n.contact_id = y.contact_id AND n.journey = @journey AND n.state = 'completed' AND n.reason = 'goal'
                AND n.ended_at >= y.at AND n.ended_at <= y.at + make_interval(0, 0, 0, 0, 0, 0, @within::float8)) AS g)::timestamptz AS at
    FROM experiment_contacts y WHERE y.experiment = @experiment AND y.counted AND y.converted_at IS NULL AND y.at > @assigned_after) AS found
WHERE x.experiment = @experiment AND x.contact_id = found.contact_id AND x.converted_at IS NULL AND found.at IS NOT NULL;

-- Whose events may have reached a goal that has a condition.
-- name: ListMaybeConverted :many
SELECT x.contact_id FROM experiment_contacts x
WHERE x.experiment = @experiment AND x.counted AND x.converted_at IS NULL AND x.at > @assigned_after AND EXISTS (
    SELECT 1 FROM events v WHERE v.contact_id = x.contact_id AND v.name = ANY(@names::text[]) AND v.seq > x.looked AND v.received_at > x.at AND v.received_at <= x.at + make_interval(0, 0, 0, 0, 0, 0, @within::float8))
ORDER BY x.contact_id LIMIT @max_rows;

-- name: SetConverted :exec
UPDATE experiment_contacts SET converted_at = coalesce(converted_at, sqlc.narg('converted_at')), looked = greatest(looked, @looked)
WHERE experiment = @experiment AND contact_id = @contact_id;

-- name: SaveLook :exec
UPDATE experiments SET arms = @arms, looked_at = @now::timestamptz WHERE id = @id AND coalesce(looked_at, '-infinity') <= @now::timestamptz;

-- name: InsertDraw :execrows
INSERT INTO experiment_draws (experiment, draw, weights, seed, arms, at) VALUES (@experiment, @draw, @weights, @seed, @arms, @now) ON CONFLICT DO NOTHING;

-- name: SetDraw :exec
UPDATE experiments SET draw = @draw WHERE id = @id AND draw < @draw;

-- name: SetWinner :one
UPDATE experiments SET winner = @arm::integer, winner_at = @now::timestamptz, winner_by = @by, revision = revision + 1
WHERE id = @id AND (sqlc.narg('expected')::bigint IS NULL OR revision = sqlc.narg('expected')) AND (NOT @only_first::boolean OR winner IS NULL)
RETURNING *;

-- name: InsertWinner :exec
INSERT INTO experiment_winners (experiment, revision, arm, by, at) VALUES (@experiment, @revision, @arm, @by, @now);

-- Of two contacts that become one, the earlier arm stands.
-- name: SettleExperiments :exec
DELETE FROM experiment_contacts x USING experiment_contacts y
WHERE x.experiment = y.experiment AND x.contact_id IN (@into_id, @from_id) AND y.contact_id IN (@into_id, @from_id) AND x.contact_id <> y.contact_id
    AND (x.at, x.contact_id) > (y.at, y.contact_id);

-- name: MoveExperiments :execrows
UPDATE experiment_contacts SET contact_id = @into_id, looked = CASE WHEN looked = 0 THEN 0 ELSE looked + @shift::bigint END WHERE contact_id = @from_id;
