"""`mendline sbom`: the bill of materials of this installation, what changed since another one, and every licence."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mendline.cli.supply.pieces import EXCLUDED, Piece

if TYPE_CHECKING:
    from mendline.cli.supply.bill import Changes


def main(arguments: Sequence[str]) -> int:
    """Write, compare or list; returns 1 for a licence or a package that must not be there, 2 for no bill."""
    parser = argparse.ArgumentParser(
        prog="mendline sbom",
        description="软件物料清单（CycloneDX 1.6）。 The bill of materials of what is installed here.",
    )
    parser.add_argument("file", nargs="?", type=Path, help="写入此文件 write it to this file")
    parser.add_argument("--since", type=Path, metavar="FILE", help="与先前的清单比较 tell what changed since that bill")
    parser.add_argument("--running", action="store_true", help="不含开发工具 without tools of development")
    parser.add_argument("--licences", action="store_true", help="列出许可证 list every licence")
    given = parser.parse_args(arguments)
    from mendline.cli.supply import bill, installed  # every other command begins without them

    pieces = [one for one in installed.everything() if one.scope != EXCLUDED or not given.running]
    document = bill.bill(pieces)
    try:
        if given.since is not None:
            _tell(bill.changes(json.loads(given.since.read_text(encoding="utf-8")), document))
        if given.file is not None:
            given.file.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        print(f"无法读写 cannot read or write {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 2
    except (ValueError, KeyError, TypeError):
        print(f"{given.since}: 不是 CycloneDX 清单 is no bill of materials; mendline sbom FILE", file=sys.stderr)
        return 2
    if given.licences:
        print("\n".join(f"| {one.name} | {one.version} | {one.licence or '?'} |" for one in pieces))
    return _verdict(pieces)


def _tell(found: Changes) -> None:
    for sign, lines in (("+", found.came), ("−", found.went), ("~", found.changed)):
        for line in lines:
            print(f"{sign} {line}")
    if not found:
        print("没有变化 nothing changed")


def _verdict(pieces: Sequence[Piece]) -> int:
    """Say how much there is and what must not be."""
    from mendline.cli.supply import installed, licences

    wrong = licences.faults(pieces)
    wrong += [
        f"{name}: 已安装却不在锁定文件里，请执行 make clean install / installed and not locked: make clean install"
        for name in installed.not_locked(tuple(pieces))
    ]
    inside = sum(len(one.inside) for one in pieces)
    silent = sum(not part.licence for one in pieces for part in one.inside)
    print(f"{'✗' if wrong else '✓'} {len(pieces)} 个软件包，其中另含 {inside} 项（{silent} 项未写明许可证）")
    print(f"  {len(pieces)} packages; {inside} more are inside them, {silent} of those tell no licence")
    for line in wrong:
        print(f"    {line}", file=sys.stderr)
    return 1 if wrong else 0
