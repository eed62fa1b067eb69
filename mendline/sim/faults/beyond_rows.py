"""Invariants that no query of all rows can ask: who asks them instead, or why there is nothing to ask."""

from __future__ import annotations

from collections.abc import Mapping

from mendline.kernel.text import Text

ASKED_ELSEWHERE: Mapping[str, Text] = {
    "I3": Text(
        "同一编号再问一次，答复相同：模拟世界每次重发、真实进程的风暴之后都核对",
        "asked again under the same key, the answer is the same: at each repeat of the simulated world, and of all that"
        " real processes acknowledged",
    ),
    "I14": Text(
        "答复里只有该角色看得到的内容：模拟世界的每个答复都查，另见访问矩阵",
        "an answer holds only what its caller may see: looked for in every answer of the simulated world, and by the"
        " access matrix",
    ),
    "I18": Text(
        "没有 5xx：模拟世界、真实进程、恶意输入的每个答复",
        "no 5xx: every answer of the simulated world, of real processes and to hostile input",
    ),
    "I19": Text(
        "每次调用的语句数不超过预算：模拟世界的每次调用",
        "a call stays within its number of statements: every call of the simulated world",
    ),
}
NOTHING_TO_ASK: Mapping[str, Text] = {
    "I6": Text("还没有工程师的日程", "there is no calendar of engineers yet"),
    "I7": Text("还没有账目", "there is no ledger yet"),
    "I8": Text("还没有余额", "there are no balances yet"),
    "I9": Text("还没有库存与序列号的去处", "there is no stock yet, and no place of a serial number"),
    "I10": Text("还没有结算", "there is no settlement yet"),
    "I16": Text("没有离线设备的操作", "there is no device that works offline"),
    "I17": Text("还没有按人删除", "there is no erasure of a person yet"),
}
