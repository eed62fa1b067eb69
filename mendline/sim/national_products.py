"""What the national demo repairs: six lines, sixty models, and the troubles of each. All names are invented."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from mendline.kernel.text import Text
from mendline.sim.demo_calls import Fault
from mendline.sim.world_contents import WorldLine, WorldProduct

LINES: tuple[WorldLine, ...] = (
    WorldLine("desktop", Text("台式机", "Desktop"), "desktop_repair"),
    WorldLine("notebook", Text("笔记本", "Notebook"), "customer_service_support"),
    WorldLine("printer", Text("打印机", "Printer"), "customer_service_support"),
    WorldLine("display", Text("显示器", "Display"), "customer_service_support"),
    WorldLine("tablet", Text("平板电脑", "Tablet"), "customer_service_support"),
    WorldLine("server", Text("服务器", "Server"), "customer_information_support"),
)
# How many of a hundred calls are about each line.
SHARE_OF_LINE = {"desktop": 30, "notebook": 34, "printer": 14, "display": 9, "tablet": 7, "server": 6}


@dataclass(frozen=True, slots=True)
class Series:
    """Models of one line under one family name; `kinds` are what they are, with the models of each."""

    line: str
    name: Text
    kinds: tuple[tuple[Text, tuple[str, ...]], ...]


SERIES: tuple[Series, ...] = (
    Series(
        "desktop", Text("晨曦", "Morning"),
        (
            (Text("商用台式机", "office desktop"), ("D310", "D330", "D350", "D510")),
            (Text("家用台式机", "home desktop"), ("H200", "H220", "H260")),
            (Text("一体机", "all-in-one"), ("A22", "A24", "A27")),
        ),
    ),
    Series(
        "notebook", Text("云帆", "Cloudsail"),
        (
            (Text("轻薄本", "thin notebook"), ("X13", "X14", "X16")),
            (Text("商务本", "business notebook"), ("B14", "B15", "B15s", "B16")),
            (Text("游戏本", "gaming notebook"), ("G15", "G16", "G17")),
        ),
    ),
    Series(
        "printer", Text("墨韵", "Inkrhyme"),
        (
            (Text("激光打印机", "laser printer"), ("L12", "L18", "L26", "L30")),
            (Text("喷墨打印机", "inkjet printer"), ("P5", "P7", "P9")),
            (Text("多功能一体机", "multifunction printer"), ("M20", "M28", "M40")),
        ),
    ),
    Series(
        "display", Text("明镜", "Brightmirror"),
        (
            (Text("办公显示器", "office display"), ("S22", "S24", "S27", "S32")),
            (Text("电竞显示器", "gaming display"), ("E24", "E27", "E34")),
            (Text("专业显示器", "professional display"), ("V24", "V27", "V32")),
        ),
    ),
    Series(
        "tablet", Text("轻羽", "Feather"),
        (
            (Text("平板电脑", "tablet"), ("T8", "T10", "T10 Pro", "T11", "T12")),
            (Text("学习平板", "study tablet"), ("K8", "K10", "K11")),
            (Text("二合一平板", "two-in-one tablet"), ("W12", "W13")),
        ),
    ),
    Series(
        "server", Text("磐石", "Bedrock"),
        (
            (Text("机架式服务器", "rack server"), ("R210", "R230", "R420", "R440", "R640")),
            (Text("塔式服务器", "tower server"), ("T110", "T130", "T330")),
            (Text("存储服务器", "storage server"), ("N12", "N24")),
        ),
    ),
)  # fmt: skip
LAUNCHED = "notebook-x16"  # the model of the launch-day story
SCARCE_PART = "BAT-57WH"  # the part whose supplier is late

# What is said, what is found, what is done, which part it may take. A product is drawn of the line.
TROUBLES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "desktop": (
        ("开机黑屏，主机风扇转", "内存金手指氧化", "清洁内存与插槽，开机自检通过", "MEM-8G-D4"),
        ("使用中自动重启", "电源输出不稳", "更换电源，连续运行两小时正常", "PSU-300W"),
        ("不通电，按开机键没反应", "电源损坏", "更换电源", "PSU-300W"),
        ("系统提示硬盘错误", "硬盘坏道", "更换硬盘并重装系统，用户确认数据已备份", "HDD-1T"),
        ("开机蓝屏 0x0000007B", "硬盘数据线接触不良", "更换数据线，恢复系统", ""),
        ("显示有竖条纹", "显卡虚焊", "更换显卡", "VGA-2G"),
        ("前面的USB口不认U盘", "前置USB线脱落", "重新接线并逐口测试", ""),
        ("开机后滴滴响三声", "内存条松动", "重新插紧内存，烤机一小时", ""),
        ("机箱噪音很大，像飞机起飞", "风扇积尘、轴承磨损", "清灰并更换机箱风扇", "FAN-12"),
        ("时间总是不对，每天都要重新设", "主板电池没电", "更换纽扣电池并升级BIOS", ""),
    ),
    "notebook": (
        ("电池充不进电，拔掉电源就关机", "电池老化", "更换电池，充放电测试正常", SCARCE_PART),
        ("电池鼓包，触控板顶起来了", "电池膨胀", "更换电池并检查外壳", SCARCE_PART),
        ("键盘部分按键失灵", "键盘进水", "更换键盘", "KBD-14CN"),
        ("合上再打开后黑屏", "休眠驱动不兼容", "升级驱动和BIOS", ""),
        ("转轴松动，屏幕立不住", "转轴螺丝滑丝", "更换转轴组件", "HNG-14"),
        ("玩游戏十分钟后死机", "散热硅脂干涸，风扇积尘", "清灰并更换硅脂，烤机正常", "FAN-L15"),
        ("屏幕花屏，轻拍又好", "屏线接触不良", "更换屏线", "LVD-15"),
        ("无线网时断时续", "天线接头脱落", "重新连接天线并测试", ""),
        ("充电口松，要按住才充电", "电源接口虚焊", "更换电源小板", "DCJ-01"),
        ("开不了机，指示灯闪五下", "主板故障", "更换主板", "MB-L15"),
    ),
    "printer": (
        ("卡纸，提示“请取出纸张”", "搓纸轮磨损", "更换搓纸轮", "ROL-A4"),
        ("打印有黑色竖线", "硒鼓刮板损坏", "更换硒鼓组件", "DRM-12A"),
        ("连不上网络，电脑显示脱机", "IP地址冲突", "重新设置网络并打印测试页", ""),
        ("打印出来偏红", "喷头堵塞", "清洗喷头三次后正常", ""),
        ("一次进好几张纸", "分页垫老化", "更换分页垫", "PAD-02"),
        ("扫描件有一条白线", "扫描玻璃有污渍", "清洁扫描单元", ""),
        ("打印很淡，摇过粉盒也一样", "转印辊老化", "更换转印辊", "TRF-18"),
        ("报错 E-6100，不停重启", "定影组件温度异常", "更换定影组件", "FUS-220"),
    ),
    "display": (
        ("屏幕闪烁", "电源板电容老化", "更换电源板", "PWB-27"),
        ("右下角有一块黑斑", "液晶屏受压", "更换面板", "PNL-27"),
        ("无信号，换线也一样", "接口板故障", "更换接口板", "IFB-24"),
        ("支架升降不了", "升降轴断裂", "更换支架", "STD-24"),
        ("颜色发黄", "背光老化", "校色后用户认可", ""),
        ("有几个亮点", "面板瑕疵", "核对标准，符合更换条件，更换面板", "PNL-27"),
    ),
    "tablet": (
        ("触摸屏失灵", "触控模组损坏", "更换触控模组", "TCH-10"),
        ("充一晚上只有一半电", "电池老化", "更换电池", "BAT-T10"),
        ("摔过，屏幕碎了", "外屏破裂", "用户自费更换外屏", "GLS-10"),
        ("一直停在开机画面", "系统升级中断", "重刷系统，保留用户资料", ""),
        ("孩子装了软件后很卡", "后台软件过多", "清理并恢复出厂设置", ""),
        ("摄像头打不开", "摄像头排线脱落", "重新压接排线", ""),
    ),
    "server": (
        ("告警灯亮，阵列降级", "二号硬盘离线", "更换硬盘并重建阵列", "SAS-600G"),
        ("冗余电源报错", "电源模块故障", "更换电源模块", "PSU-750R"),
        ("开机自检停在内存", "内存条损坏", "更换内存", "MEM-16G-E"),
        ("机房空调正常，机器报温度过高", "二号风扇停转", "更换风扇模块", "FAN-2U"),
        ("远程管理口连不上", "管理口固件异常", "升级固件并恢复网络设置", ""),
        ("重启后找不到系统盘", "阵列卡电池失效", "更换阵列卡电池", "RAID-BAT"),
    ),
}  # fmt: skip
# The heat wave: everything that runs hot.
HEAT = {
    "desktop": (
        ("中午一热就自动关机", "电源过热保护，风道堵塞", "清灰、更换电源，两小时满载正常", "PSU-300W"),
        ("高温天死机，晚上又正常", "处理器散热器松脱", "重新安装散热器并更换硅脂", ""),
    ),
    "notebook": (
        ("风扇狂转，底部烫手，用一会就关机", "散热模组积尘", "清灰并更换硅脂", "FAN-L15"),
        ("电池在车里晒过以后鼓包", "电池高温膨胀", "更换电池", SCARCE_PART),
    ),
    "server": (("机房温度高，服务器降频告警", "进风过滤网堵塞", "清洁过滤网，建议用户检修空调", ""),),
}  # fmt: skip
# The launch: what early buyers run into.
NEW_MODEL = (
    ("新机第一天就蓝屏，代码 0x00000139", "出厂显卡驱动有缺陷", "升级到最新驱动，反复睡眠唤醒正常", ""),
    ("新机激活不了系统", "出厂镜像未写入授权", "重新写入授权并激活", ""),
    ("新机屏幕一角漏光", "面板装配过紧", "更换面板", "PNL-X16"),
    ("新机触控板点击没反应", "触控板固件过旧", "升级固件", ""),
)
SINCE = ("", "", "", "昨天起", "今早开始", "升级系统后", "搬动以后", "上周停电以后", "用了两年多，")
BESIDES = (
    "",
    "",
    "",
    "",
    "，换了插座也一样",
    "，里面有重要资料",
    "，前台收银用，很急",
    "，已自行重装过系统",
    "，之前修过一次",
)


def products() -> dict[str, WorldProduct]:
    """Return the sixty models by code."""
    found: dict[str, WorldProduct] = {}
    for series in SERIES:
        for kind, models in series.kinds:
            for model in models:
                label = Text(f"{series.name.zh} {model} {kind.zh}", f"{series.name.en} {model} {kind.en}")
                code = f"{series.line}-{model.lower().replace(' ', '-')}"
                found[code] = WorldProduct(code, series.line, label)
    return found


MODELS: dict[str, tuple[str, ...]] = {
    line.code: tuple(code for code, product in products().items() if product.line == line.code) for line in LINES
}


def a_trouble(rng: Random, line: str, *, with_part: bool = False, hot: bool = False, part: str = "") -> Fault:
    """Draw a model of the line and its trouble. `hot`: one of the heat wave; `part`: one that takes this part."""
    kinds = HEAT[line] if hot and line in HEAT else TROUBLES[line]
    fitting = [kind for kind in kinds if (kind[3] == part if part else kind[3] or not with_part)] or TROUBLES[line]
    return _told(rng, _model(rng, line), rng.choice(fitting))


def a_new_models_trouble(rng: Random) -> Fault:
    return _told(rng, LAUNCHED, rng.choice(NEW_MODEL))


def _model(rng: Random, line: str) -> str:
    """Draw a model; the first ones of a line sell best. The new one has its own story."""
    models = [model for model in MODELS[line] if model != LAUNCHED]
    return models[min(int(rng.expovariate(3 / len(models))), len(models) - 1)]


def _told(rng: Random, product: str, kind: tuple[str, str, str, str]) -> Fault:
    said, found, done, part = kind
    return Fault(product, f"{rng.choice(SINCE)}{said}{rng.choice(BESIDES)}", found, done, part)
