"""What must hold in every database of ours, asked of the rows alone and in plain SQL.

None of the product's own code is used here: a check that shared its reading of a row with the code that wrote the
row would share its mistakes as well. Each check has a number of the list of invariants (I1, I4 …), and a query
that returns the rows in which it does not hold: of which order or record, and what is wrong.

`broken` holds at every moment, also while everybody works; `unquiet` only once everything that was due is done.
Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mendline.kernel.text import Text

MOST_ROWS = 20  # of one check that are named; the first few tell what is wrong


class Rows(Protocol):
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """A psycopg connection, or whatever else takes a statement and named values."""

    def execute(self, query: Any, params: Any = None) -> Rows: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One statement about all rows; `sql` returns (subject, detail) of those for which it does not hold."""

    name: str
    invariant: str
    says: Text
    sql: str


@dataclass(frozen=True, slots=True)
class Broken:
    """One row for which a check does not hold."""

    check: str
    invariant: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.check}: {self.subject} ({self.detail})"


# Orders and records in one, as the checks of both read them.
_SUBJECTS = """
    subjects AS MATERIALIZED (
        SELECT ref, process, process_version, state, category, revision, clocks, due_at, created_at, 'order' AS kind
        FROM orders_repairorder
        UNION ALL
        SELECT ref, process, process_version, state, category, revision, clocks, due_at, created_at, 'record'
        FROM orders_record)
"""
# Entries that a change wrote; others only note something beside it (a photo, who read a document).
_WRITTEN = "e.data ? 'rules'"
_HISTORY = f"""
    history AS MATERIALIZED (
        SELECT e.subject, count(*) AS entries, min(e.revision) AS first, max(e.revision) AS last,
               (array_agg(e.to_state ORDER BY e.revision DESC, e.id DESC))[1] AS stands,
               (array_agg(e.from_state ORDER BY e.revision, e.id))[1] AS began
        FROM journal_entry e WHERE {_WRITTEN} GROUP BY e.subject)
"""

_CHECKS: tuple[Check, ...] = (
    Check(
        "one_answer_per_key", "I2",
        Text("同一人的同一编号只有一个应答", "a caller's key has one answer"),
        """
        SELECT person_id || ':' || key, count(*) || ' answers' FROM orders_idempotencykey
        GROUP BY person_id, key HAVING count(*) > 1
        """,
    ),
    Check(
        "answer_names_what_exists", "I1",
        Text("答复过的单据都在", "what was acknowledged is there"),
        """
        SELECT k.body::jsonb->>'ref', 'answered under ' || k.key || ' and not there' FROM orders_idempotencykey k
        WHERE k.status = 201 AND k.body LIKE '{%%"ref":%%'
          AND NOT EXISTS (SELECT FROM orders_repairorder o WHERE o.ref = k.body::jsonb->>'ref')
          AND NOT EXISTS (SELECT FROM orders_record r WHERE r.ref = k.body::jsonb->>'ref')
        """,
    ),
    Check(
        "history_replays", "I4",
        Text("按历史逐条重放即得当前状态", "the history replayed leads to how the row stands"),
        f"""
        WITH {_SUBJECTS}, {_HISTORY}
        SELECT s.ref, CASE WHEN h.subject IS NULL THEN 'has no history'
                           WHEN h.began <> 'new' THEN 'begins as ' || h.began
                           ELSE 'stands at ' || s.state || ', the history at ' || h.stands END
        FROM subjects s LEFT JOIN history h ON h.subject = s.ref
        WHERE h.subject IS NULL OR h.began <> 'new' OR h.stands <> s.state
        """,
    ),
    Check(
        "every_revision_has_one_entry", "I4",
        Text("每个版次恰有一条历史", "every revision has exactly one entry"),
        f"""
        WITH {_SUBJECTS}, {_HISTORY}
        SELECT s.ref, 'revision ' || s.revision || ', ' || h.entries || ' entries from ' || h.first || ' to ' || h.last
        FROM subjects s JOIN history h ON h.subject = s.ref
        WHERE h.first <> 0 OR h.last <> s.revision OR h.entries <> s.revision + 1
        """,
    ),
    Check(
        "history_has_no_gap", "I4",
        Text("每条历史接着上一条的状态", "each entry goes on from where the one before it ended"),
        f"""
        SELECT subject, 'revision ' || revision || ' comes from ' || from_state || ', the one before led to ' || led_to
        FROM (SELECT e.subject, e.revision, e.from_state,
                     lag(e.to_state) OVER (PARTITION BY e.subject ORDER BY e.revision, e.id) AS led_to
              FROM journal_entry e WHERE {_WRITTEN}) x
        WHERE led_to IS NOT NULL AND led_to <> from_state
        """,
    ),
    Check(
        "only_listed_changes", "I4",
        Text("状态变化都是规程列出的", "every change of state is one that the procedure lists"),
        f"""
        WITH {_SUBJECTS}
        SELECT s.ref, e.from_state || ' became ' || e.to_state || ' by ' || e.kind
        FROM (SELECT DISTINCT e.subject, e.kind, e.from_state, e.to_state FROM journal_entry e
              WHERE {_WRITTEN} AND e.from_state <> e.to_state) e
        JOIN subjects s ON s.ref = e.subject
        WHERE NOT EXISTS (SELECT FROM process_allowedchange a WHERE a.process = s.process
                          AND a.version = s.process_version AND a.from_state = e.from_state AND a.to_state = e.to_state)
        """,
    ),
    Check(
        "entries_name_somebody", "I13",
        Text("每条历史都写明由谁", "every entry names who did it"),
        """
        SELECT subject, kind || ' by nobody' FROM journal_entry WHERE actor_name = '' OR actor_role = ''
        """,
    ),
    Check(
        "history_is_append_only", "I13",
        Text("历史只增不改：触发器在，应用账号无权改", "history is only added to: trigger and rights see to it"),
        """
        SELECT 'journal_entry', 'the trigger append_only is missing or off'
        WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'journal_entry'::regclass
                          AND tgname = 'append_only' AND tgenabled IN ('O', 'A'))
        UNION ALL
        SELECT 'journal_entry', r.rolname || ' may ' || p.word || ' rows'
        FROM pg_roles r, (VALUES ('UPDATE'), ('DELETE')) AS p(word)
        WHERE r.rolname = 'mendline_app' AND has_table_privilege(r.oid, 'journal_entry', p.word)
          AND NOT pg_has_role(r.oid, (SELECT relowner FROM pg_class WHERE oid = 'journal_entry'::regclass), 'MEMBER')
        """,
    ),
    Check(
        "seats_are_counted", "I5",
        Text("已用名额等于名额行数", "a day's count is the number of its seats"),
        """
        SELECT d.station_no || ' ' || d.product_line || ' ' || d.day, d.taken || ' counted, ' || count(s.id) || ' there'
        FROM network_dayload d LEFT JOIN network_seat s ON s.load_id = d.id
        GROUP BY d.id HAVING d.taken <> count(s.id)
        """,
    ),
    Check(
        "never_oversold", "I5",
        Text("从不超过曾有的产能", "no day was ever sold beyond a capacity that it had"),
        # Lowering a capacity below what is taken is allowed, so the highest that was ever filed counts.
        """
        SELECT d.station_no || ' ' || d.product_line || ' ' || d.day, d.taken || ' taken of ' || d.capacity
        FROM network_dayload d
        WHERE d.taken > d.capacity AND d.taken > coalesce((
            SELECT max(c.per_day) FROM network_capacity c
            WHERE c.station_id = d.station_no AND c.product_line = d.product_line AND c.effective_from <= d.day), 0)
        """,
    ),
    Check(
        "seats_belong_to_standing_orders", "I5",
        Text("名额属于有效的单、且在同一维修站", "a seat belongs to an order that stands, at the same station"),
        """
        SELECT s.order_ref, CASE WHEN o.ref IS NULL THEN 'no such order'
                            WHEN o.category = 'void' THEN 'the order is void'
                            ELSE 'the seat is at ' || d.station_no || ', the order at ' || o.station_no END
        FROM network_seat s JOIN network_dayload d ON d.id = s.load_id
        LEFT JOIN orders_repairorder o ON o.ref = s.order_ref
        WHERE o.ref IS NULL OR o.category = 'void' OR o.station_no <> d.station_no
        """,
    ),
    Check(
        "somebody_owns_every_open_order", "I21",
        Text("每张未结的单都有人负责并有时限", "every open order has an owner and a clock, or lies before its region"),
        """
        SELECT o.ref, o.state || CASE WHEN o.region = '' AND o.station_no = '' THEN ' belongs to nobody'
                                      ELSE ' has neither a running clock nor a region' END
        FROM orders_repairorder o
        WHERE o.category IN ('open', 'waiting')
          AND ((o.region = '' AND o.station_no = '') OR (o.station_no = '' AND o.state <> 'undispatched')
               OR (o.due_at IS NULL AND o.region = ''))
        """,
    ),
    Check(
        "due_is_the_next_deadline", "I21",
        Text("到期时间就是最近的时限", "what the queue sorts by is the earliest running deadline"),
        f"""
        WITH {_SUBJECTS}
        SELECT s.ref, coalesce(s.due_at::text, 'nothing') || ' instead of ' || coalesce(n.due::text, 'nothing')
        FROM subjects s CROSS JOIN LATERAL (
            SELECT min((c.value->>'due')::timestamptz) AS due FROM jsonb_each(s.clocks) c
            WHERE c.value->>'run' = 'running') n
        WHERE s.due_at IS DISTINCT FROM n.due
        """,
    ),
    Check(
        "nothing_of_a_void_order_is_open", "I22",
        Text("已撤的单没有未结的附属单据", "no request or part of a void order is still open"),
        """
        SELECT r.ref, r.process || ' is ' || r.state || ', its order ' || o.ref || ' ' || o.state
        FROM orders_record r JOIN orders_repairorder o ON o.ref = r.order_ref
        WHERE o.category = 'void' AND r.category IN ('open', 'waiting')
          AND r.process IN ('cancellation_request', 'part_order')
        """,
    ),
    Check(
        "replacements_name_each_other", "I22",
        Text("改派的两张单互相指明", "an order and its replacement name each other"),
        """
        SELECT o.ref, 'is replaced by ' || o.replaced_by || ', which does not say so' FROM orders_repairorder o
        WHERE o.replaced_by <> '' AND NOT EXISTS (SELECT FROM orders_repairorder n
                                                  WHERE n.ref = o.replaced_by AND n.replaces = o.ref)
        UNION ALL
        SELECT o.ref, 'replaces ' || o.replaces || ', which does not say so' FROM orders_repairorder o
        WHERE o.replaces <> '' AND NOT EXISTS (SELECT FROM orders_repairorder n
                                               WHERE n.ref = o.replaces AND n.replaced_by = o.ref)
        UNION ALL
        SELECT replaces, count(*) || ' orders replace it' FROM orders_repairorder
        WHERE replaces <> '' GROUP BY replaces HAVING count(*) > 1
        """,
    ),
    Check(
        "one_timer_per_step", "I11",
        Text("一次计时的每一步只有一个计时器", "a step of a clock's run has one timer"),
        """
        SELECT subject, clock || '/' || step || ' of run ' || generation || ': ' || count(*) || ' timers'
        FROM process_timer GROUP BY subject, clock, step, generation HAVING count(*) > 1
        """,
    ),
    Check(
        "timers_run_with_their_clock", "I11",
        Text("计时器只在其时钟运行时有效", "a timer is open only while its clock runs"),
        f"""
        WITH {_SUBJECTS}
        SELECT t.subject, t.clock || '/' || t.step || ' of run ' || t.generation || ' is open, the clock is '
               || coalesce(s.clocks->t.clock->>'run', 'not there')
        FROM process_timer t LEFT JOIN subjects s ON s.ref = t.subject
        WHERE t.state = 'open' AND (s.ref IS NULL OR s.clocks->t.clock->>'run' IS DISTINCT FROM 'running'
                                    OR (s.clocks->t.clock->>'gen')::int IS DISTINCT FROM t.generation)
        """,
    ),
    Check(
        "clocks_have_their_alarm", "I11",
        Text("运行中的时钟都有到期计时器", "a running clock has a timer for its deadline"),
        f"""
        WITH {_SUBJECTS}
        SELECT s.ref, c.key || ' runs until ' || (c.value->>'due') || ' and nothing will tell'
        FROM subjects s CROSS JOIN LATERAL jsonb_each(s.clocks) c
        WHERE c.value->>'run' = 'running' AND c.value->>'breached' IS NULL
          AND NOT EXISTS (SELECT FROM process_timer t WHERE t.subject = s.ref AND t.clock = c.key AND t.step = 'breach'
                          AND t.generation = (c.value->>'gen')::int AND t.state = 'open'
                          AND t.due_at = (c.value->>'due')::timestamptz)
        """,
    ),
    Check(
        "a_timer_takes_effect_once", "I11",
        Text("每个计时器恰好生效一次", "a timer that fired has one effect, and an effect its timer"),
        """
        SELECT coalesce(t.subject, e.subject), coalesce(t.step, e.step) || ' due ' || coalesce(t.due_at, e.due)
               || ': ' || coalesce(t.fired, 0) || ' fired, ' || coalesce(e.effects, 0) || ' effects'
        FROM (SELECT subject, clock, step, due_at, count(*) AS fired FROM process_timer WHERE state = 'fired'
              GROUP BY subject, clock, step, due_at) t
        FULL JOIN (SELECT e.subject, e.data->'clocks'->0->>'clock' AS clock, e.data->>'step' AS step,
                          (e.data->>'due')::timestamptz AS due, count(*) AS effects
                   FROM journal_entry e WHERE e.kind IN ('clock.warn', 'clock.breach') GROUP BY 1, 2, 3, 4) e
          ON e.subject = t.subject AND e.clock = t.clock AND e.step = t.step AND e.due = t.due_at
        WHERE coalesce(t.fired, 0) <> coalesce(e.effects, 0)
        """,
    ),
    Check(
        "no_timer_before_its_time", "I11",
        Text("计时器不会提前生效", "no timer fires before it is due, and none that is open has fired"),
        """
        SELECT subject, clock || '/' || step || ' due ' || due_at || ' fired ' || coalesce(fired_at::text, 'never')
        FROM process_timer
        WHERE (state = 'fired' AND (fired_at IS NULL OR fired_at < due_at)) OR (state = 'open' AND fired_at IS NOT NULL)
        """,
    ),
    Check(
        "approved_by_somebody_else", "I12",
        Text("审核、批准与拟文各由不同的人", "who reviews or approves is not who drafted"),
        """
        SELECT ref, process || ' drafted, reviewed or approved by one person' FROM orders_record
        WHERE (facts->>'drafted_by' IS NOT NULL AND facts->>'drafted_by' = facts->>'reviewed_by_id')
           OR (facts->>'drafted_by' IS NOT NULL AND facts->>'drafted_by' = facts->>'approved_by_id')
           OR (facts->>'reviewed_by_id' IS NOT NULL AND facts->>'reviewed_by_id' = facts->>'approved_by_id')
        """,
    ),
    Check(
        "one_message_per_key", "I15",
        Text("每条消息只有一份", "a message is there once"),
        """
        SELECT key, count(*) || ' times' FROM journal_outgoing GROUP BY key HAVING count(*) > 1
        """,
    ),
    Check(
        "messages_say_how_they_went", "I15",
        Text("消息的状态与其时间一致", "what was sent says when, what waits says until when"),
        """
        SELECT key, state || ', sent at ' || coalesce(sent_at::text, '-')
                    || ', next try ' || coalesce(next_try_at::text, '-')
        FROM journal_outgoing
        WHERE (state = 'sent') <> (sent_at IS NOT NULL) OR (state = 'pending') <> (next_try_at IS NOT NULL)
        """,
    ),
    Check(
        "messages_tell_of_what_happened", "I15",
        Text("消息所述的单据确实存在", "a message tells of an order or record that is there"),
        f"""
        WITH {_SUBJECTS}
        SELECT m.subject, m.notice || ' by ' || m.channel FROM journal_outgoing m
        WHERE m.subject ~ '^[A-Z]{{2}}[0-9]' AND NOT EXISTS (SELECT FROM subjects s WHERE s.ref = m.subject)
        """,
    ),
)  # fmt: skip

_AT_REST: tuple[Check, ...] = (
    Check(
        "nothing_due_is_left", "I20",
        Text("到期的计时器都已处理", "every timer that is due was settled"),
        "SELECT subject, clock || '/' || step || ' due ' || due_at FROM process_timer"
        " WHERE state = 'open' AND due_at <= %(now)s",
    ),
    Check(
        "nothing_waits_to_be_sent", "I20",
        Text("待发的消息都已发出", "every message that can be sent was sent"),
        "SELECT key, channel || ', ' || attempts || ' tries' FROM journal_outgoing"
        " WHERE state = 'pending' AND address <> '' AND next_try_at <= %(now)s",
    ),
    Check(
        "nobody_holds_a_transaction", "I20",
        Text("没有仍开着的事务", "nobody holds a transaction open"),
        "SELECT pid::text, usename || ': ' || left(query, 80) FROM pg_stat_activity"
        " WHERE datname = current_database() AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()",
    ),
)  # fmt: skip


def checks() -> tuple[Check, ...]:
    """Return what is looked at, `broken` first: for the page that says how often each was."""
    return (*_CHECKS, *_AT_REST)


def broken(connection: Connection, now: datetime) -> list[Broken]:
    """Return the rows in which an invariant does not hold. Empty is well, at any moment and in any state of work."""
    return _asked(connection, _CHECKS, {"now": now})


def unquiet(connection: Connection, now: datetime) -> list[Broken]:
    """Return what is still due, waiting or held: empty once everybody has stopped and the worker has caught up."""
    return _asked(connection, _AT_REST, {"now": now})


def _asked(connection: Connection, wanted: Iterable[Check], values: Mapping[str, Any]) -> list[Broken]:
    found: list[Broken] = []
    for check in wanted:
        statement = (
            f"SELECT x::text[] FROM (SELECT ARRAY[a, b] FROM ({check.sql}) AS q(a, b) LIMIT {MOST_ROWS}) AS y(x)"
        )
        for row in connection.execute(statement, values).fetchall():
            subject, detail = row[0]
            found.append(Broken(check.name, check.invariant, subject or "?", detail or ""))
    return found
