"""`mendline figures`: as of when the figures are, and counting them anew."""

from __future__ import annotations

from mendline.figures import facts
from mendline.figures.models import OrderFact, Path
from mendline.journal.following_command import FollowingCommand

WHY = "the command line sees everything"


class Command(FollowingCommand):
    help = (
        "统计数字：status 看进度与统计时间，rebuild 从维修单和历史重新统计（不影响使用，中断后由后台任务接着做）。"
        " The figures: status says as of when they are, rebuild counts them anew from orders and history in use."
    )
    follower = facts.FOLLOWER

    def kept(self) -> list[tuple[str, int]]:
        return [
            ("已统计的维修单 orders counted", OrderFact.objects.unscoped(WHY).count()),
            ("不同的流程路径 different paths", Path.objects.count()),
        ]
