"""Who calls about what in the demo: invented users, real streets of the network's areas, believable faults."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN_NAMES = (
    "伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "霞", "平", "刚", "桂英", "建国", "志强", "海燕", "晓东", "文博", "雨桐", "子轩", "梓涵", "佳怡", "俊杰", "思远",
    "欣然", "国庆", "春梅",
)  # fmt: skip

# Where calls come from: area, street, weight. What no station serves is not among them.
PLACES: tuple[tuple[str, str, int], ...] = (
    ("110108", "上地信息路", 9), ("110108", "中关村大街", 8), ("110108", "学院路", 5), ("110114", "回龙观西大街", 4),
    ("110105", "望京街", 6), ("110105", "建国路", 5), ("110106", "丰台北路", 3), ("110112", "新华西街", 2),
    ("120101", "南京路", 3), ("120104", "鞍山西道", 2), ("130102", "中山东路", 3), ("130629", "奥威路", 1),
    ("140105", "长风街", 2), ("310104", "漕溪北路", 6), ("310115", "张江路", 6), ("310115", "世纪大道", 4),
    ("310110", "国定路", 3), ("320102", "珠江路", 4), ("320106", "中央路", 3), ("320505", "狮山路", 3),
    ("320205", "锡沪路", 1), ("330106", "文三路", 5), ("330108", "江南大道", 3), ("440106", "天河路", 6),
    ("440605", "桂澜路", 2), ("440305", "深南大道", 5), ("440305", "科苑路", 4), ("440306", "宝安大道", 3),
    ("350102", "五四路", 3), ("350203", "湖滨南路", 2),
)  # fmt: skip
# Areas that nobody serves for one reason or another: the region has to find somebody.
UNSERVED: tuple[tuple[str, str], ...] = (("150102", "新华大街"), ("340104", "长江西路"), ("460106", "国贸路"))
WITHOUT_800 = ("310151", "陈海公路")
OFFICES = (
    "科技大厦",
    "创业园",
    "国际中心",
    "写字楼",
    "花园",
    "小区",
    "家园",
    "公寓",
    "大学",
    "中学",
    "医院",
    "街道办事处",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A trouble of a product: what the user says, what the engineer finds and does, which part it may need."""

    product: str
    said: str
    found: str
    done: str
    part: str = ""  # part code; empty where no part is ever needed


FAULTS: tuple[Fault, ...] = (
    Fault("desktop", "开机黑屏，主机风扇转", "内存金手指氧化", "清洁内存与插槽，开机自检通过", "MEM-8G-D4"),
    Fault("desktop", "使用中自动重启", "电源输出不稳", "更换电源，连续运行两小时正常", "PSU-300W"),
    Fault("desktop", "不通电，按开机键没反应", "电源损坏", "更换电源", "PSU-300W"),
    Fault("desktop-office", "系统提示硬盘错误", "硬盘坏道", "更换硬盘并重装系统，用户确认数据已备份", "HDD-1T"),
    Fault("desktop-office", "开机蓝屏 0x0000007B", "硬盘数据线接触不良", "更换数据线，恢复系统"),
    Fault("desktop-home", "显示器有竖条纹", "显卡虚焊", "更换显卡", "VGA-2G"),
    Fault("desktop-home", "USB接口不能识别U盘", "前置USB线脱落", "重新接线并逐口测试"),
    Fault("desktop-aio", "屏幕闪烁", "屏线松动", "重新固定屏线"),
    Fault("desktop-aio", "触摸屏失灵", "触控板损坏", "更换触控模组", "TCH-23"),
    Fault("notebook", "电池充不进电", "电池老化", "更换电池", "BAT-57WH"),
    Fault("notebook", "键盘部分按键失灵", "键盘进水", "更换键盘", "KBD-14CN"),
    Fault("notebook-thin", "合上再打开后黑屏", "系统休眠驱动不兼容", "升级驱动和BIOS"),
    Fault("notebook-thin", "转轴松动", "转轴螺丝滑丝", "更换转轴组件", "HNG-14"),
    Fault("notebook-game", "玩游戏十分钟后死机", "散热硅脂干涸，风扇积尘", "清灰并更换硅脂，烤机正常", "FAN-L15"),
    Fault("notebook-game", "花屏", "显存故障", "更换主板", "MB-L15"),
    Fault("server", "告警灯亮，阵列降级", "二号硬盘离线", "更换硬盘并重建阵列", "SAS-600G"),
    Fault("server-rack", "冗余电源报错", "电源模块故障", "更换电源模块", "PSU-750R"),
    Fault("server-tower", "开机自检停在内存", "内存条损坏", "更换内存", "MEM-16G-E"),
    Fault("printer", "卡纸，提示“请取出纸张”", "搓纸轮磨损", "更换搓纸轮", "ROL-A4"),
    Fault("printer-laser", "打印有黑色竖线", "硒鼓刮板损坏", "更换硒鼓组件", "DRM-12A"),
    Fault("printer-laser", "连不上网络", "IP地址冲突", "重新设置网络并打印测试页"),
    Fault("printer-inkjet", "颜色偏红", "喷头堵塞", "清洗喷头"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One caller with a machine and a trouble."""

    name: str
    phone: str
    area: str
    address: str
    serial_no: str
    service_mode: str
    fault: Fault

    def as_given(self) -> dict[str, Any]:
        """Return what the form for a report asks for."""
        return {
            "customer": {"name": self.name, "phone": self.phone},
            "product": self.fault.product,
            "serial_no": self.serial_no,
            "service_mode": self.service_mode,
            "area": self.area,
            "address": self.address,
            "fault": self.fault.said,
        }


def a_call(rng: Random, *, place: tuple[str, str] | None = None, with_part: bool = False, line: str = "") -> Call:
    """Draw a call. `with_part`: the repair needs a part; `line`: of that product line only."""
    area, street = place or _place(rng)
    fitting = [f for f in FAULTS if (f.part or not with_part) and (not line or f.product.startswith(line))]
    # Servers and printers are few: every area has a station for desktops and notebooks.
    fault = rng.choices(fitting, [1 if f.product.startswith(("server", "printer")) else 3 for f in fitting])[0]
    if fault.product.startswith("server") and not area.startswith(("11", "13", "31", "33", "440106")):
        fault = FAULTS[0]
    return Call(
        name=rng.choice(SURNAMES) + rng.choice(GIVEN_NAMES),
        phone=f"138{rng.randrange(10**7, 2 * 10**7):08d}",
        area=area,
        address=f"{street}{rng.randrange(1, 400)}号{_building(rng)}{rng.randrange(101, 2800)}室",
        serial_no=f"M{rng.choice('ABCDEFGH')}{rng.randrange(10**7, 10**8)}",
        service_mode="send_in" if fault.product.startswith("notebook") and rng.random() < 0.6 else "on_site",
        fault=fault,
    )


def _place(rng: Random) -> tuple[str, str]:
    area, street, _ = rng.choices(PLACES, [weight for _, _, weight in PLACES])[0]
    return area, street


def _building(rng: Random) -> str:
    return rng.choice(OFFICES) if rng.random() < 0.6 else f"{rng.randrange(1, 30)}号楼"
