"""What the machine itself must have for PDF pages and browser tests, and how it gets there."""

import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Needed:
    """One thing that comes with the operating system, not with the project."""

    what: str
    packages: tuple[str, ...]  # Debian and Ubuntu names
    is_there: Callable[[], bool]
    rather: tuple[str, ...] = ()
    """What does the same for less and is not in every distribution: tried first."""


def _has_chinese_font() -> bool:
    places = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
    return any(next(place.rglob("*NotoS*CJK*"), None) for place in places if place.is_dir())


def _has_pango() -> bool:
    return all(map(ctypes.util.find_library, ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")))


def browser() -> str | None:
    """Return the path of a Chromium, or None. The one without windows does the same pages in half the time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


PRINTING = (
    Needed("中文字体 Chinese fonts", ("fonts-noto-cjk",), _has_chinese_font),
    Needed(
        "排版库 Pango",
        ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
        _has_pango,
    ),
)
TESTING = (
    *PRINTING,
    Needed("浏览器 Chromium", ("chromium",), lambda: browser() is not None, rather=("chromium-headless-shell",)),
)


def missing(wanted: tuple[Needed, ...]) -> list[Needed]:
    return [one for one in wanted if not one.is_there()]


def install_missing(wanted: tuple[Needed, ...]) -> list[Needed]:
    """Install what is missing where apt is there and we may use it; return what is missing afterwards."""
    absent = missing(wanted)
    if not absent or not shutil.which("apt-get") or os.geteuid() != 0:
        return absent
    _apt_get("update")
    for one in absent:
        for names in (one.rather, one.packages):
            if names and not one.is_there():
                _apt_get("install", "--yes", "--no-install-recommends", *names)
    return missing(wanted)


def _apt_get(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "--quiet", *words], env=environment, stdout=subprocess.DEVNULL, check=False)


def advice(absent: list[Needed]) -> str:
    """Return a sentence in both languages that says what to install, and how."""
    names = " ".join(name for one in absent for name in one.packages)
    what = "、".join(one.what for one in absent)
    return f"缺少 {what}，请以 root 运行： Missing on this machine, as root run: apt-get install {names}"
