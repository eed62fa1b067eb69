"""Every name by which people call an area: the official one, the short one, the former one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from mendline.network import areas

_PEOPLES = (
    "维吾尔 哈萨克 柯尔克孜 塔吉克 锡伯 蒙古 回 藏 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 "
    "土家 哈尼 傣 黎 傈僳 佤 畲 拉祜 水 东乡 纳西 景颇 土 达斡尔 仫佬 羌 布朗 撒拉 "
    "毛南 仡佬 阿昌 普米 怒 鄂温克 德昂 保安 裕固 独龙 鄂伦春 各"
).split()
_OF_PEOPLES = re.compile(rf"(?:(?:{'|'.join(_PEOPLES)})族)+$")
_PEOPLE_IN_FRONT = re.compile(r"(?:蒙古|哈萨克|柯尔克孜|维吾尔|塔吉克|锡伯)$")
_KINDS = (
    "特别行政区", "自治区", "自治州", "自治县", "自治旗", "矿区", "林区", "新区", "地区", "盟", "省", "市",
    "区", "县", "旗",
)  # fmt: skip
_ZONE = re.compile(
    r"(?P<high>高新技术产业(?:开发区|园区)|高新技术开发区|高技术产业开发区)$|(?P<open>经济技术开发区|经济开发区)$|(?P<park>工业园区)$"
)
# Names that stand in many addresses as a part of an estate (西区5号楼); they mean the district only below its city.
_ONLY_BELOW = frozenset({"东区", "西区", "城区", "郊区", "矿区", "新区", "开发区", "高新区", "经开区", "工业园区"})
# Districts that were dissolved, renamed or moved up, and what covers their ground now.
FORMER: dict[str, tuple[str, ...]] = {
    "崇文区": ("110101",), "宣武区": ("110102",), "闸北区": ("310106",), "卢湾区": ("310101",), "南汇区": ("310115",),
    "塘沽区": ("120116",), "塘沽": ("120116",), "大港区": ("120116",), "汉沽区": ("120116",), "下城区": ("330105",),
    "江干区": ("330102", "330114"), "白下区": ("320104",), "下关区": ("320106",), "沧浪区": ("320508",),
    "平江区": ("320508",), "金阊区": ("320508",), "崇安区": ("320213",), "南长区": ("320213",), "北塘区": ("320213",),
    "东山区": ("440104",), "芳村区": ("440103",), "萝岗区": ("440112",), "四方区": ("370203",), "胶南市": ("370211",),
    "郫县": ("510117",), "江东区": ("330212",), "动力区": ("230110",), "太平区": ("230104",), "市北区": ("370203",),
    "莱芜市": ("370116", "370117"), "巢湖市居巢区": ("340181",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Naming:
    """One area under one of its names. `official`: with its kind, as on the map (海淀区)."""

    code: str
    official: bool
    only_below: bool = False


class PlaceNames:
    """Who is called what."""

    def __init__(self, table: areas.AreaTable) -> None:
        self.table = table
        self.by_name: dict[str, list[Naming]] = {}
        for code, place in table.places.items():
            if place.full_name == table.places.get(place.parent, _NOWHERE).full_name:
                continue  # 市辖区
            self._add(place.name, Naming(code, official=True, only_below=place.name in _ONLY_BELOW))
            for short in _short_names(place.name):
                self._add(short, Naming(code, official=False, only_below=short in _ONLY_BELOW))
            for zone in self._zone_names(place):
                self._add(zone, Naming(code, official=False, only_below=True))
        for former, codes in FORMER.items():
            for code in codes:
                if code in table.places and table.places[code].name != former:
                    self._add(former, Naming(code, official=True))
        self.longest = max(len(name) for name in self.by_name)

    def _add(self, name: str, naming: Naming) -> None:
        known = self.by_name.setdefault(name, [])
        if len(name) > 1 and all(other.code != naming.code for other in known):
            known.append(naming)

    def _zone_names(self, place: areas.Place) -> list[str]:
        """石家庄高新技术产业开发区 is 高新区 to people in Shijiazhuang."""
        zone = _ZONE.search(place.name)
        if zone is None:
            return []
        common = {"high": "高新区", "open": "经开区", "park": "工业园区"}[str(zone.lastgroup)]
        return [common, zone[0]] + (["开发区"] if common == "经开区" else [])

    def whole(self, code: str) -> str:
        """Return the code of the area itself, or of its only part (东莞市 has no districts)."""
        parts = self.parts(code)
        return parts[0] if len(parts) == 1 else code

    def parts(self, code: str) -> list[str]:
        """Return the areas people would name next below `code`; 市辖区 is skipped."""
        found: list[str] = []
        for child in self.table.children(code):
            same = self.table.places[child].full_name == self.table.places[code].full_name
            found += self.table.children(child) if same and len(child) == 4 else [child]
        return found


_NOWHERE = areas.Place("", "", "\0")


def _short_names(name: str) -> set[str]:
    """海淀 for 海淀区, 恩施 and 恩施州 for 恩施土家族苗族自治州."""
    if _ZONE.search(name):
        return set()
    found: set[str] = set()
    for kind in _KINDS:
        if name.endswith(kind):
            stem = name.removesuffix(kind)
            bare = _PEOPLE_IN_FRONT.sub("", _OF_PEOPLES.sub("", stem)) or stem
            found = {stem, bare}
            if bare != stem or kind == "自治州":
                found |= {bare + kind[-1]}
            break
    return {short for short in found if len(short) >= 2 and short != name}


@cache
def place_names() -> PlaceNames:
    """Return the names of the packaged table, worked out once per process (a few milliseconds)."""
    return PlaceNames(areas.table())
