"""Who: the name in a line, with 先生 or 女士 or bare."""

from __future__ import annotations

import re

from mendline.intake.line import TAKEN, Line, Span

_DOUBLE = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|"
    "太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|令狐"
)
_SINGLE = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜"
    "詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉"
    "饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖"
    "糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银楼雷骆荣缪来云哈佘麦扬明沙"
    "薄伏岑习胥保和蔺肖闫付代"
)
_TITLE = (
    "先生|女士|小姐|师傅|老师|经理|主任|医生|大夫|同学|太太|大爷|大妈|大姐|大哥|大叔|阿姨|叔叔|奶奶|爷爷|"
    "老板|院长|校长|处长|科长|主管|会计|工程师"
)
_SHORT_TITLE = "总|工|哥|姐|叔|姨|局|处|科"
_CJK = "\u4e00-\u9fff"
_EDGE = rf"[\s,。;、:!?()/|\-\n{TAKEN}]"
_TITLED = re.compile(rf"(?P<name>(?:(?:{_DOUBLE})[{_CJK}]{{0,2}}|[{_SINGLE}][{_CJK}]{{0,2}}?)(?:{_TITLE}))")
_ANY_TITLED = re.compile(rf"(?:^|(?<={_EDGE}))(?P<name>[{_CJK}]{{1,3}}(?:先生|女士|小姐|师傅|老师))")
_SHORT_TITLED = re.compile(rf"(?:^|(?<={_EDGE}))(?P<name>[{_SINGLE}](?:{_SHORT_TITLE}))(?={_EDGE}|$)")
_LABELLED = re.compile(
    rf"(?:姓名|联系人|用户名?|客户|报修人|报修者|联络人|机主|"
    rf"收件人)(?:姓名)?[是为:\s]*(?P<name>[{_CJK}]{{1,4}}(?:·[{_CJK}]{{1,8}})?(?:{_TITLE})?)(?={_EDGE}|$)"
    rf"|(?:我叫|我是|本人|免贵姓|我姓|姓)(?P<said>(?:[{_SINGLE}]|"
    rf"{_DOUBLE})[{_CJK}]{{0,2}}?(?:{_TITLE})?)(?={_EDGE}|$|的)"
)
_BARE = re.compile(
    rf"(?:^|(?<={_EDGE}))(?P<name>(?:{_DOUBLE})[{_CJK}]{{1,2}}|[{_SINGLE}][{_CJK}]{{1,2}}|"
    rf"[{_CJK}]{{2,6}}·[{_CJK}]{{2,8}})(?:\((?:{_TITLE}|男|女)\))?(?={_EDGE}|$)"
)
_AFTER_NUMBER = re.compile(rf"(?<=[号室楼层栋座元户])(?P<name>[{_SINGLE}][{_CJK}]{{1,2}})(?=\s*{TAKEN})")
_FOREIGN = re.compile(r"\b(?P<name>(?:Mr|Mrs|Ms|Miss|Dr)\.? ?[A-Z][A-Za-z'\-]+(?: [A-Z][A-Za-z'\-]+)?)")
_NO_NAME = re.compile(
    r"屏|机|修|坏|不|没|无|死|卡|响|热|亮|电|网|盘|键|纸|墨|系统|故障|温度|高温|方便|安装|时间|"
    r"周[一二三四五六日末天]|全天|马上|随时|应用|安静|成功|金属|"
    r"关闭|关掉|联想|天逸|扬天|启天|拯救|小新|昭阳|开天|问天|异常|常见|台式|一体|有|区$|县$|市$|路$|街$|"
    r"村$|省$|镇$|单位|家里|公司|用户|保修|保内|保外|包退|花|黄色|白色|蓝色|黑色|古怪|全部|连接|"
    r"上门|送修|急用|着急|加急|尽快|谢谢|解决|明天|后天|今天|和|都|来|时好|向上|安排|文件|程序|平板|车间|"
    r"冷却|凌晨|乱码|强制|官网|全新|计算|简单|原因|原装|商用|家用|游戏|轻薄|服务|温馨|席|路由|连|支架|"
    r"毛病|宽带|符|景|景区|同"
)


def find_name(line: Line) -> tuple[str, Span] | None:
    """Return the reporter's name as it was said, and where; the surest way of saying it wins."""
    text = line.free
    for pattern in (_TITLED, _LABELLED, _SHORT_TITLED, _ANY_TITLED, _FOREIGN):
        for match in pattern.finditer(text):
            group = "name" if match.groupdict().get("name") else "said"
            if _may_be_called(match[group]):
                span = match.span() if pattern is _LABELLED else match.span(group)
                return line.shown[slice(*match.span(group))], span
    return _bare_name(line)


def _bare_name(line: Line) -> tuple[str, Span] | None:
    """A name alone between two commas: the one beside the telephone number, or the only one there is."""
    text = line.free
    found = [name for form in (_BARE, _AFTER_NUMBER) for name in form.finditer(text) if _may_be_called(name["name"])]
    if not found:
        return None
    best = min(found, key=lambda name: (not _beside_the_phone(text, name), name.start()))
    if len(found) > 1 and best.start() > 0 and not _beside_the_phone(text, best):
        return None
    return line.shown[slice(*best.span("name"))], best.span()


def _may_be_called(said: str) -> bool:
    own = re.sub(_TITLE, "", said)
    return len(own) == 1 or "·" in own or not _NO_NAME.search(own)


def _beside_the_phone(text: str, name: re.Match[str]) -> bool:
    before, after = text[: name.start("name")], text[name.end() :]
    return bool(re.search(rf"{TAKEN}[\s,。;、:/|\-]*$", before) or re.match(rf"[\s,。;、:/|\-]*{TAKEN}", after))
