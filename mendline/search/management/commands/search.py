"""`mendline search`: how far the index of the search is, and making it anew."""

from __future__ import annotations

from mendline.journal.following_command import FollowingCommand
from mendline.search import index
from mendline.search.models import Current, Past

WHY = "the command line sees everything"


class Command(FollowingCommand):
    help = (
        "查找用的索引：status 看进度，rebuild 从维修单重新生成（不影响使用，中断后由后台任务接着做）。"
        " The index of the search: status says how far it is, rebuild makes it anew from the orders while it is used."
    )
    follower = index.FOLLOWER

    def kept(self) -> list[tuple[str, int]]:
        return [
            ("在途及近 12 个月 open or of the last 12 months", Current.objects.unscoped(WHY).count()),
            ("更早且已结束 ended before that", Past.objects.unscoped(WHY).count()),
        ]
