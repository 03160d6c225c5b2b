-- Which entries come next, each with the key that its table finds it by. Each arm stops at the page's length by itself.
-- name: ListTimelineKeys :many
SELECT t.kind::text AS kind, t.journal_id::bigint AS journal_id, t.ref::bigint AS ref FROM (
    -- Numbers and journal ids grow together, but where a merge has put one contact's events behind another's: from one such place to the next.
    (SELECT 'event' AS kind, e.journal_id, e.ref FROM (
        SELECT b.seq AS low, lead(b.seq) OVER (ORDER BY b.seq) AS high FROM (
            SELECT 0::bigint AS seq
            UNION SELECT ms.shift FROM merges ms WHERE ms.into_id = @contact_id
        ) b
     ) part CROSS JOIN LATERAL (
        SELECT ev.journal_id, ev.seq AS ref FROM events ev
        WHERE ev.contact_id = @contact_id AND ev.seq > part.low AND (part.high IS NULL OR ev.seq <= part.high) AND ev.journal_id > @after
        ORDER BY ev.seq LIMIT @max_rows
     ) e)
    UNION ALL
    (SELECT 'decision', d.journal_id, d.journal_id FROM decisions d
     WHERE d.contact_id = @contact_id AND d.journal_id > @after ORDER BY d.journal_id LIMIT @max_rows)
    UNION ALL
    (SELECT 'message', m.journal_id, m.journal_id FROM messages m
     WHERE m.contact_id = @contact_id AND m.journal_id > @after ORDER BY m.journal_id LIMIT @max_rows)
    UNION ALL
    (SELECT 'delivery', dl.journal_id, dl.journal_id FROM messages sm JOIN deliveries dl ON dl.message_id = sm.id
     WHERE sm.contact_id = @contact_id AND dl.journal_id > @after ORDER BY dl.journal_id LIMIT @max_rows)
    UNION ALL
    (SELECT 'handoff', h.journal_id, h.journal_id FROM handoffs h
     WHERE h.contact_id = @contact_id AND h.journal_id > @after ORDER BY h.journal_id LIMIT @max_rows)
    UNION ALL
    (SELECT 'score', s.journal_id, s.journal_id FROM score_changes s
     WHERE s.contact_id = @contact_id AND s.journal_id > @after ORDER BY s.journal_id LIMIT @max_rows)
    UNION ALL
    -- What was paused while the contact was in it. A journey that it entered twice during one pause is named once.
    (SELECT DISTINCT 'pause', p.journal_id, p.journal_id FROM enrollments en JOIN journey_pauses p ON p.journey = en.journey
        AND p.paused_at < coalesce(en.ended_at, 'infinity') AND coalesce(p.resumed_at, 'infinity') > en.entered_at
     WHERE en.contact_id = @contact_id AND p.journal_id > @after ORDER BY p.journal_id LIMIT @max_rows)
) t ORDER BY t.journal_id LIMIT @max_rows;
