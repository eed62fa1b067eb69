"""Administrative areas by their codes (GB/T 2260): 2 digits a province, 4 a city, 6 a county.

The table is a file of the package; answering a question about an area reads no database. The
database holds the same rows for joins and for the auditor (`load_areas`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

FILE = Path(__file__).parent / "data" / "areas.json"
# Rows of the code table that are no place people name: 市辖区 of a municipality, 省直辖县级行政区划.
_NAMELESS = re.compile(r"^(?:市辖区|县|(?:省|自治区)直辖县级行政区划)$")
_KINDS = (
    "特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "地区", "盟", "市", "新区",
    "自治县", "林区", "区", "县", "旗",
)  # fmt: skip
_SEPARATORS = re.compile(r"[\s,，、/·>\-]+")

PROVINCES_EN = {
    "11": "Beijing", "12": "Tianjin", "13": "Hebei", "14": "Shanxi", "15": "Inner Mongolia", "21": "Liaoning",
    "22": "Jilin", "23": "Heilongjiang", "31": "Shanghai", "32": "Jiangsu", "33": "Zhejiang", "34": "Anhui",
    "35": "Fujian", "36": "Jiangxi", "37": "Shandong", "41": "Henan", "42": "Hubei", "43": "Hunan",
    "44": "Guangdong", "45": "Guangxi", "46": "Hainan", "50": "Chongqing", "51": "Sichuan", "52": "Guizhou",
    "53": "Yunnan", "54": "Tibet", "61": "Shaanxi", "62": "Gansu", "63": "Qinghai", "64": "Ningxia",
    "65": "Xinjiang", "71": "Taiwan", "81": "Hong Kong", "82": "Macao",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """One area as people read it: `full_name` goes from the province down, e.g. 北京市朝阳区."""

    code: str
    name: str
    full_name: str

    @property
    def parent(self) -> str:
        """The code one level up; empty for a province."""
        return self.code[:-2]


class AreaTable:
    """All areas of the file, with the names they can be found under."""

    def __init__(self, names: dict[str, str]) -> None:
        self.places: dict[str, Place] = {}
        self._children: dict[str, list[str]] = {}
        for code in sorted(names, key=lambda code: (len(code), code)):
            above = self.places.get(code[:-2])
            own = "" if _NAMELESS.match(names[code]) else names[code]
            full = (above.full_name if above else "") + own
            self.places[code] = Place(code, names[code], full)
            self._children.setdefault(code[:-2], []).append(code)

    def children(self, code: str) -> list[str]:
        return self._children.get(code, [])

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """Codes by full name of one level and by its short form (朝阳 for 朝阳区)."""
        found: dict[str, list[str]] = {}
        for code, place in self.places.items():
            if not _NAMELESS.match(place.name):
                for name in {place.name, _short(place.name)}:
                    found.setdefault(name, []).append(code)
        return found

    @cached_property
    def longest_name(self) -> int:
        return max(len(name) for name in self.by_name)


@cache
def table() -> AreaTable:
    """Return the packaged table, read once per process."""
    return AreaTable(json.loads(FILE.read_text(encoding="utf-8")))


def exists(code: str) -> bool:
    return code in table().places


def name_of(code: str, language: str = "zh-hans") -> str:
    """Return the area's full name; a code nobody knows is its own name.

    In English the province is translated; the levels below keep the name that is on the map.

    >>> name_of("110105"), name_of("110105", "en"), name_of("11", "en")
    ('北京市朝阳区', 'Beijing 朝阳区', 'Beijing')
    """
    place = table().places.get(code)
    if place is None:
        return code
    if not language.startswith("en"):
        return place.full_name
    province = table().places[code[:2]]
    return f"{PROVINCES_EN[code[:2]]} {place.full_name.removeprefix(province.full_name)}".strip()


def children(code: str = "") -> list[Place]:
    """Return the areas directly below `code`; below the empty code lie the provinces."""
    return [table().places[child] for child in table().children(code)]


def find(text: str, limit: int = 20) -> list[Place]:
    """Return the areas that `text` may mean, the best first; several when a name occurs twice (朝阳区).

    Takes a code, a name, or names from the province down with parts left out (北京朝阳, 辽宁省 朝阳市).
    What follows the last known name (a street) is ignored, a text that begins with none finds nothing.

    >>> [place.full_name for place in find("朝阳区")]
    ['北京市朝阳区', '吉林省长春市朝阳区']
    >>> [place.code for place in find("北京朝阳区建国路88号")]
    ['110105']
    """
    wanted = _SEPARATORS.sub("", text)
    if wanted.isascii():
        return [table().places[wanted]] if exists(wanted) else []
    readings = _readings(wanted, "")
    if not readings:
        return []
    most = max(taken for taken, _ in readings)
    best = {code for taken, code in readings if taken == most}
    # A province and its only city may carry one name (北京市); the shorter code says as much.
    codes = sorted((code for code in best if not any(code.startswith(up) for up in best if up != code)), key=_by_level)
    return [table().places[code] for code in codes[:limit]]


def _readings(text: str, above: str) -> list[tuple[int, str]]:
    """Return (characters understood, code) for every way to read the beginning of `text` below `above`."""
    areas = table()
    found: list[tuple[int, str]] = []
    for length in range(min(len(text), areas.longest_name), 1, -1):
        for code in areas.by_name.get(text[:length], ()):
            if code.startswith(above) and code != above:
                deeper = _readings(text[length:], code)
                found += [(length + taken, below) for taken, below in deeper] or [(length, code)]
    return found


def _short(name: str) -> str:
    for kind in _KINDS:
        if name.endswith(kind) and len(name) - len(kind) >= 2:
            return name.removesuffix(kind)
    return name


def _by_level(code: str) -> tuple[int, str]:
    return (len(code), code)


def load_areas() -> int:
    """Bring the database's area table in step with the file; returns how many rows it then has.

    Codes that the file dropped stay: old orders name them.
    """
    from mendline.network.models import Area

    rows = [
        Area(code=place.code, name=place.name, full_name=place.full_name, parent=place.parent)
        for place in table().places.values()
    ]
    Area.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "full_name", "parent"],
        batch_size=1000,
    )
    return Area.objects.count()
