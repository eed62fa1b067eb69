"""What is broken: a product of the network's directory, by its name, its model or what people call its kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mendline.intake.line import Line, Span

# What people say, and how directories name it. Longer words come first, so that 一体机 is not taken for 台式.
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"一体台?式?机|一体电脑", ("一体机",)),
    (r"台式电脑|台式机|台式|主机(?!板)|工作站", ("台式机", "台式电脑")),
    (r"游戏本|游戏笔记本", ("游戏笔记本", "游戏本", "笔记本")),
    (r"轻薄本|超极本|超级本|轻薄笔记本", ("轻薄笔记本", "轻薄本", "笔记本")),
    (r"笔记本电脑|笔记本|手提电脑|手提|本本|laptop|notebook", ("笔记本", "笔记本电脑")),
    (r"激光打印机|激光机", ("激光打印机", "打印机")),
    (r"喷墨打印机|喷墨机", ("喷墨打印机", "打印机")),
    (r"打印机|打印一体机|复印机|printer", ("打印机",)),
    (r"机架(?:式)?服务器", ("机架式服务器", "服务器")),
    (r"塔式服务器", ("塔式服务器", "服务器")),
    (r"服务器|server", ("服务器",)),
    (r"电视机|电视|彩电", ("电视机", "电视")),
)  # fmt: skip
# Series whose kind every agent knows; the model after them stays with the fault, for the engineer.
SERIES: tuple[tuple[str, str], ...] = (
    (r"扬天\s*S\d|扬天一体|AIO|逸", "一体机"),
    (r"扬天|启天|天逸|开天|ThinkCentre|刃\s?\d|家悦|锋行|圆梦|天骄|OptiPlex", "台式机"),
    (r"拯救者\s?(?:Y7000|Y9000|R7000|R9000)", "游戏笔记本"),
    (r"小新|ThinkPad|ThinkBook|昭阳|旭日|天逸F|YOGA|IdeaPad|拯救者", "笔记本"),
    (r"ThinkServer|万全|ThinkSystem", "服务器"),
    (r"LJ\d|LaserJet|M\d{4}dn", "激光打印机"),
)
_MODEL = r"(?:[\s\-]?[A-Za-z]*\d[A-Za-z0-9\-]{0,14})?"
_KIND_AFTER = r"(?:系列)?(?:台式电脑|台式机|台式|笔记本电脑|笔记本|一体机|打印机|服务器|电脑|主机)?"


@dataclass(frozen=True, slots=True)
class ProductName:
    """A product of the directory and the names it goes by, Chinese first."""

    code: str
    line: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductFound:
    """`code` is the product, or empty when there are several of the kind. `whole`: its own name was said."""

    code: str
    candidates: tuple[str, ...]
    span: Span
    whole: bool


def find_product(line: Line, products: Sequence[ProductName]) -> ProductFound | None:
    """Return the product that the line names; the directory's own names win over what people call the kind."""
    text = line.free
    return _by_name(text, products) or _by_series(text, products) or _by_kind(text, products)


def _by_name(text: str, products: Sequence[ProductName]) -> ProductFound | None:
    best: ProductFound | None = None
    for product in products:
        for name in product.names:
            match = _spelled(name).search(text)
            if match and (best is None or match.end() - match.start() > best.span[1] - best.span[0]):
                best = ProductFound(product.code, (), match.span(), whole=True)
    return best


def _spelled(name: str) -> re.Pattern[str]:
    """M4000q, M4000Q, M-4000 q: spaces, dashes and capitals do not tell products apart."""
    signs = [re.escape(sign) for sign in name if not sign.isspace() and sign != "-"]
    ends = r"(?![A-Za-z0-9])" if name[-1:].isascii() else ""
    begins = r"(?<![A-Za-z0-9])" if name[:1].isascii() else ""
    return re.compile(begins + r"[\s\-]?".join(signs) + ends, re.IGNORECASE)


def _by_series(text: str, products: Sequence[ProductName]) -> ProductFound | None:
    for words, kind in SERIES:
        if match := re.search(rf"(?:联想|Lenovo)?\s?(?:{words}){_MODEL}{_KIND_AFTER}", text, re.IGNORECASE):
            return _of_kind((kind, *_wider(kind)), products, match.span())
    return None


def _by_kind(text: str, products: Sequence[ProductName]) -> ProductFound | None:
    first: tuple[int, ProductFound] | None = None
    for words, kinds in KINDS:
        match = re.search(words, text, re.IGNORECASE)
        if match and (first is None or match.start() < first[0]):
            found = _of_kind(kinds, products, match.span())
            first = (match.start(), found) if found else first
    return first[1] if first else None


def _wider(kind: str) -> tuple[str, ...]:
    return next((kinds for words, kinds in KINDS if kind in kinds), ())


def _of_kind(kinds: Sequence[str], products: Sequence[ProductName], span: Span) -> ProductFound | None:
    """The product called so; else the only one whose name holds the word; else all of those, to choose from."""
    for kind in kinds:
        if exact := [product for product in products if kind in product.names]:
            return ProductFound(exact[0].code, (), span, whole=False)
        near = [product.code for product in products if any(kind in name for name in product.names)]
        if near:
            return ProductFound(near[0] if len(near) == 1 else "", () if len(near) == 1 else tuple(near), span, False)
    return None
