"""A history as a file: what was asked and what befell it, to be played again call by call, and made shorter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mendline.sim.ground.oracle.plain import Call
from mendline.sim.ground.stage import Pause

Item = Call | Pause


@dataclass(frozen=True, slots=True)
class Case:
    """A history that once went wrong. `kinds` are the findings it showed; none means that it was mended."""

    world: str
    seed: int
    commit: str
    kinds: tuple[str, ...]
    items: tuple[Item, ...]


def write(path: Path, case: Case) -> None:
    document = {
        "world": case.world, "seed": case.seed, "commit": case.commit, "kinds": list(case.kinds),
        "items": [_as_json(item) for item in case.items],
    }  # fmt: skip
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Case:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Case(
        document["world"], document["seed"], document["commit"], tuple(document["kinds"]),
        tuple(_from_json(item) for item in document["items"]),
    )  # fmt: skip


def _as_json(item: Item) -> dict[str, Any]:
    if isinstance(item, Pause):
        return {"pause": item.at.isoformat(), "until": item.until.isoformat()}
    found: dict[str, Any] = {
        "n": item.number, "at": item.at.isoformat(), "by": item.by, "verb": item.verb, "name": item.name,
        "about": item.about, "given": dict(item.given), "key": item.key,
    }  # fmt: skip
    if item.revision is not None:
        found["revision"] = item.revision
    if item.fault:
        found["fault"] = item.fault
    return found


def _from_json(kept: dict[str, Any]) -> Item:
    if "pause" in kept:
        return Pause(datetime.fromisoformat(kept["pause"]), datetime.fromisoformat(kept["until"]))
    return Call(
        kept["n"], datetime.fromisoformat(kept["at"]), kept["by"], kept["verb"], kept["name"], kept["about"],
        kept["given"], kept.get("revision"), kept.get("fault", ""), kept["key"],
    )  # fmt: skip


# --- shorter ---


def smaller(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    """Return shorter histories to try, the boldest first: without some reports, some calls, some faults."""
    yield from _without_stories(items)
    yield from _without_calls(items)
    yield from _without_faults(items)


def _story(item: Item) -> str:
    return item.about.partition(".")[0].rstrip("x") if isinstance(item, Call) else ""


def _without_stories(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    stories = list(dict.fromkeys(_story(item) for item in items if _story(item)))
    size = len(stories) // 2
    while size:
        for start in range(0, len(stories), size):
            gone = set(stories[start : start + size])
            yield tuple(item for item in items if _story(item) not in gone)
        size //= 2


def _without_calls(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    size = len(items) // 2
    while size:
        for start in range(0, len(items), size):
            yield (*items[:start], *items[start + size :])
        size //= 2


def _without_faults(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    for place, item in enumerate(items):
        if isinstance(item, Call) and item.fault:
            plain = Call(item.number, item.at, item.by, item.verb, item.name, item.about, item.given, item.revision,
                         key=item.key)  # fmt: skip
            yield (*items[:place], plain, *items[place + 1 :])
