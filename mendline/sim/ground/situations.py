"""Named situations that a run must come through for its silence to mean anything; each is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mendline.kernel.text import Text

SITUATIONS: Mapping[str, Text] = {
    "request_lost": Text("请求未到达，重试", "a request never arrived and was sent again"),
    "reply_lost": Text("答复丢失，重试得到同一答复", "a reply was lost; the retry got the same one"),
    "commit_unknown_done": Text("提交后断线，重试得知已完成", "cut after the commit; the retry told that it was done"),
    "commit_unknown_undone": Text("提交前断线，重试后才完成", "cut before the commit; only the retry did it"),
    "delivered_twice": Text("同一请求送达两次", "the same request was delivered twice"),
    "key_reused": Text("同键异文被拒", "a key was sent with another body and refused"),
    "stale_refused": Text("过期画面被拒（409）", "an old screen was refused (409)"),
    "sweep_cut": Text("计时器处理中断线后重做", "a sweep was cut and made again"),
    "paused_11_min": Text("计时器停 11 分钟", "the sweeper stood still for 11 minutes"),
    "paused_6_h": Text("计时器停 6 小时", "the sweeper stood still for 6 hours"),
    "paused_3_days": Text("计时器停 3 天", "the sweeper stood still for 3 days"),
    "backlog": Text("恢复后一次处理多个到期计时器", "after a pause several timers were settled in one sweep"),
    "undispatched": Text("无站可派", "no station could take a report"),
    "dispatched_later": Text("大区补派成功", "a region dispatched it later"),
    "dispatch_refused": Text("补派仍无站", "a later dispatch still found nobody"),
    "day_full": Text("最细一级产能用完，派给上一级", "the finest stations were full; a coarser one took it"),
    "seat_freed": Text("撤单退回产能", "a cancellation gave a seat back"),
    "own_order": Text("站内生成维修单", "a station made its own order"),
    "own_without_seat": Text("站内单无产能也生成", "a station's own order found no seat left"),
    "wish_refused": Text("指定的站不能派", "the named station could not take it"),
    "report_refused": Text("报修不合规定被拒", "a report was refused by rule"),
    "incomplete_report": Text("报修资料不全", "a report was incomplete"),
    "duplicate_report": Text("同一用户重复报修", "the same user reported twice"),
    "urged": Text("用户催单", "the user urged"),
    "contact_late": Text("超过四小时才联系", "contact later than four hours"),
    "contact_in_time": Text("四小时内联系", "contact within four hours"),
    "mark_too_early": Text("过早标记联系不上被拒", "marking unreachable too early was refused"),
    "special_t31": Text("特殊 T31", "the special T31 was written"),
    "five_days_unreached": Text("五日联系不上撤单", "cancelled after five days without reaching the user"),
    "quota_missed": Text("联系次数不足", "too few contacts on the three days"),
    "wrong_number": Text("报告电话错误", "a wrong number was reported"),
    "promise_kept": Text("按承诺时间上门", "a promise was kept"),
    "promise_missed": Text("错过承诺时间", "a promise was missed"),
    "t33_reached": Text("写到 T33", "T33 was reached"),
    "fourth_refused": Text("第四次承诺被拒", "a fourth promise was refused"),
    "incomplete_change": Text("改约缺类型或原因被拒", "a change of promise without its reason was refused"),
    "part_ordered": Text("申领备件", "a part was ordered"),
    "part_late": Text("备件未按时配送", "a part missed its delivery"),
    "part_rejected": Text("备件不予发货", "a part was not shipped"),
    "part_borrowed": Text("借用备件", "a part was borrowed"),
    "part_missing_on_site": Text("上门后才申领备件", "a part was ordered from the site"),
    "print_without_part": Text("备件未到不能打印", "printing before the part was refused"),
    "part_not_returned": Text("未返还备件不能关单", "closing without the returned part was refused"),
    "visit_refused": Text("用户拒绝维修", "the user refused the visit"),
    "form_agreed": Text("大区同意特殊情况", "a region agreed to a special situation"),
    "second_pass": Text("多次上门", "a second visit was made"),
    "solved_by_telephone": Text("电话解决", "solved by telephone"),
    "request_refused": Text("大区不同意撤单", "a region refused a request"),
    "request_executed": Text("大区同意并撤单", "a region cancelled on request"),
    "request_reassigned": Text("大区同意并改派", "a region reassigned on request"),
    "request_withdrawn": Text("维修站收回请求", "a station withdrew its request"),
    "request_lapsed": Text("撤单请求随关单失效", "a request lapsed with its order"),
    "not_its_cancellation": Text("无权撤单被拒", "a cancellation by the wrong hand was refused"),
    "closed_normally": Text("应正常关单，不能撤", "what must be closed normally was not cancelled"),
    "cancelled_by_user": Text("用户撤单", "cancelled at the user's request"),
    "reassigned_by_agent": Text("座席改派", "an agent reassigned"),
    "called_back": Text("回访完成", "a user was called back"),
    "callback_gave_up": Text("三次回访不到结束", "a callback ended after three attempts"),
    "reopened": Text("回访未解决重开", "a callback reopened an order"),
    "reopened_by_agent": Text("座席重开", "an agent reopened an order"),
    "closed_after_reopening": Text("重开后再关单", "a reopened order was closed again"),
    "outsider_absent": Text("外站看不到（404）", "an outsider found nothing (404)"),
    "wrong_role": Text("角色不符（403）", "the wrong role was refused (403)"),
    "wrong_state": Text("状态不符被拒", "a step from the wrong state was refused"),
}


@dataclass(slots=True)
class Seen:
    """How often each situation came."""

    counts: Counter[str] = field(default_factory=Counter)

    def note(self, situation: str) -> None:
        if situation not in SITUATIONS:
            raise KeyError(situation)
        self.counts[situation] += 1

    def never(self) -> list[str]:
        return [name for name in SITUATIONS if not self.counts[name]]
