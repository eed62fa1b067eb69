"""Orders by the million, written set by set: as they would stand after three years, with all their indexes.

They are written past the door, which only the superuser of a scratch server can: triggers are off and
secondary indexes are built afterwards. What they look like is copied from orders that came through it.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql

from mendline.sim.bench.crew import a_member
from mendline.sim.bench.scratch import Database, Scratch

OPEN_SHARE = 0.033
YEARS = 3
# Streets as unevenly as they are: of these, the first has a fifth of all orders and the last 0.2 %.
ROADS = [
    word + kind
    for kind in ("路", "大街", "东路", "巷", "一村")
    for word in (
        "北京", "建设", "人民", "解放", "中山", "和平", "文化", "新华", "上地信息", "学院", "长江", "朝阳", "胜利",
        "光明", "友谊", "滨河", "科技", "工业", "迎宾", "振兴", "南湖", "西湖", "东风", "育才", "青年", "黄河",
    )
]  # fmt: skip
SERVED_AT = "2026-03-02T01:00:00+00:00"

# The share of station n falls with the square: of 400, the busiest has 5 % and the quietest 0.13 %.
_FILL = """
    INSERT INTO orders_repairorder (
        ref, process, process_version, state, category, region, station_no, revision, facts, clocks, due_at, created_at,
        updated_at, created_by, origin, product_line, product, serial_no, service_mode, area, address, customer_name,
        phone, fault, assignee_id, assignee_name, replaces, replaced_by)
    SELECT 'WX7' || lpad(n::text, 9, '0'), pattern.process, pattern.process_version,
        CASE WHEN NOT is_open THEN 'called_back'
             ELSE (ARRAY['dispatched', 'downloaded', 'contacting', 'promised'])[1 + (random() * 3.99)::int %% 4] END,
        CASE WHEN is_open THEN 'open' ELSE 'done' END, station.region_id, station.number,
        CASE WHEN is_open THEN 1 ELSE 8 END, pattern.facts,
        CASE WHEN is_open
             THEN jsonb_build_object('contact', pattern.clocks->'contact' || jsonb_build_object('due', to_char(
                      due AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00')))
             ELSE pattern.clocks END,
        CASE WHEN is_open THEN due END, came, came, pattern.created_by, 'cc', pattern.product_line, pattern.product,
        'SN' || lpad((random() * 9999999999)::bigint::text, 10, '0'), 'on_site', station.area,
        (%(roads)s::text[])[1 + floor(random() ^ 3 * cardinality(%(roads)s::text[]))::int]
            || (1 + random() * 900)::int || '号',
        substr('王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗', 1 + (random() * 19)::int, 1)
            || substr('伟芳娜敏静强磊军洋勇艳杰娟涛明超秀霞平刚', 1 + (random() * 19)::int, 1),
        '+86138' || lpad((random() * 99999999)::int::text, 8, '0'), pattern.fault, NULL, '', '', ''
    FROM (
        SELECT n, random() < %(open_share)s AS is_open, 1 + floor(random() ^ 2 * %(stations)s)::int AS place,
               now() - random() * interval '6 hours' + random() * interval '30 hours' AS due, random() AS age
        FROM generate_series(1, %(orders)s) AS n
    ) AS drawn
    CROSS JOIN LATERAL (
        SELECT now() - age * CASE WHEN is_open THEN interval '4 days' ELSE %(past)s::interval END AS came) AS moment
    JOIN (SELECT *, row_number() OVER (ORDER BY number) AS place FROM network_station) AS station USING (place)
    JOIN orders_repairorder AS pattern ON pattern.ref = CASE WHEN is_open THEN %(fresh)s ELSE %(served)s END
"""
_NOTICES = """
    INSERT INTO journal_outgoing (key, at, subject, notice, channel, role, station_no, region, address, data, state,
                                  attempts, error)
    SELECT ref || ':notice', created_at, ref, 'new_order', 'inbox', 'station_coordinator', station_no, '', '',
           '{"zh": "新派单", "en": "New order", "cause": "report"}', 'shown', 0, ''
    FROM orders_repairorder WHERE category = 'open' OR id %% 20 = 0
"""
_INDEXES = """
    SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """What was written. `seconds` for all of it; sizes in MB."""

    orders: int
    open: int
    stations: int
    busiest_station_open: int
    seconds: float
    table_mb: int
    with_indexes_mb: int

    def as_setup(self) -> dict[str, object]:
        return asdict(self)


def fill(scratch: Scratch, database: Database, *, orders: int, stations: int, open_share: float = OPEN_SHARE) -> Stock:
    """Write `orders` orders of the first `stations` stations into a database that has a network."""
    begun = time.perf_counter()
    with a_member(scratch.environment(database)) as member:
        fresh, served = member.do("take_orders", number=2, now=SERVED_AT, station_no="000001", first=90_000_000)
        member.do("walk", refs=[served], station_no="000001")
    with database.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SELECT setseed(0.5)")
        definitions = [
            built for table in ("orders_repairorder", "journal_outgoing") for built in drop_indexes(connection, table)
        ]
        values = {
            "orders": orders, "stations": stations, "open_share": open_share, "past": f"{YEARS} years",
            "fresh": fresh, "served": served, "roads": ROADS,
        }  # fmt: skip
        connection.execute(_FILL, values)
        connection.execute(_NOTICES, {})
        connection.execute("UPDATE process_timer SET state = 'void'")  # the patterns' own; nothing here is due
        for definition in definitions:
            connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE category = 'open'),"
            " (SELECT count(*) FROM orders_repairorder WHERE category = 'open' AND station_no = '000001'),"
            " pg_table_size('orders_repairorder') >> 20, pg_total_relation_size('orders_repairorder') >> 20"
            " FROM orders_repairorder"
        ).fetchone()
    assert row is not None
    counts = [int(str(one)) for one in row]
    return Stock(counts[0], counts[1], stations, counts[2], round(time.perf_counter() - begun, 1), counts[3], counts[4])


def drop_indexes(connection: psycopg.Connection[tuple[object, ...]], table: str) -> list[str]:
    """Drop the indexes that no constraint needs and return how to build them again."""
    found = connection.execute(_INDEXES, [table]).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(name))))
    return [str(definition) for _, definition in found]
