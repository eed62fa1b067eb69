"""Versions that are a file's with other parameters: the one thing that may change between two editions.

An overlay is a version of its own, so the number that an order carries says everything, and guards, tables and
pictures work on it as on any other. Its number is `1000 × version of the file + place`, shown as `3.1`: a whole
number that stays unique and sorts beside its file wherever versions are kept (orders, allowed changes, history), and
that tells file and place without looking anything up. What it says is derived: a small correction of the file
reaches its overlays too.

An overlay never changes once it was in force. So a process learns of one when it meets a number that it does not
know, by one query in its life; nobody polls, and an order of a known version costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db import connection

from mendline.kernel import plain_yaml
from mendline.kernel.durations import Duration, parse_duration
from mendline.kernel.errors import Conflict
from mendline.kernel.text import Text
from mendline.kernel.time import Unreadable
from mendline.process.definition import OVERLAYS_PER_VERSION, Parameter, Process, edition_of
from mendline.process.difference_words import notice_words
from mendline.process.models import Overlay
from mendline.process.parameter_words import label_of
from mendline.process.reading import Fault, Reader
from mendline.process.rules import rules
from mendline.process.soundness import check

_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?", re.ASCII)

_settings: dict[tuple[str, int], Mapping[str, str]] = {}
_made: dict[tuple[str, int], tuple[Process, Process]] = {}  # the file's process beside what was derived from it


class NotALimit(Exception):
    """A parameter cannot be changed so; says which, why and what can be written."""

    def __init__(self, text: Text) -> None:
        super().__init__(f"{text.zh} / {text.en}")
        self.text = text


def overlay_of(base: Process, version: int) -> Process | None:
    """Return the overlay of a file's process with that number; None when it was never in force."""
    key = base.code, version
    made = _made.get(key)
    if made is not None and made[0] is base:
        return made[1]
    if key not in _settings:
        row = Overlay.objects.filter(process=base.code, version=version).first()
        if row is None:
            return None
        _settings[key] = row.settings
    derived = with_settings(replace(base, version=version), _settings[key])
    _made[key] = base, derived
    return derived


def overlaid_versions(code: str) -> list[int]:
    """Return the numbers of all overlays of a process that were ever in force, oldest first."""
    return list(Overlay.objects.filter(process=code).order_by("version").values_list("version", flat=True))


def forget() -> None:
    """Drop what this process knows of overlays."""
    _settings.clear()
    _made.clear()


def with_settings(process: Process, settings: Mapping[str, str]) -> Process:
    """Return the process with other parameters, each as a file would write it.

    Raises NotALimit for a parameter that the process has not, or a value of another kind.
    """
    parameters = dict(process.parameters)
    for name, value in settings.items():
        if name not in parameters:
            known = ", ".join(parameters)
            raise NotALimit(
                Text(f"流程没有参数 {name}，可用：{known}", f"there is no parameter {name}; known: {known}")
            )
        parameters[name] = _parameter(name, value.strip(), parameters[name])
    return replace(process, parameters=parameters)


def written(value: Parameter) -> str:
    """Return a parameter as the file writes it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _parameter(name: str, value: str, present: Parameter) -> Parameter:
    """Return the value in the kind that the parameter has now.

    A word is a switch that guards compare with what they know, so another word than those known would quietly mean
    "off"; only a list of codes may get new ones (CAN-17, CAN-37 leave room for them).
    """
    who = label_of(name)
    if isinstance(present, Duration):
        try:
            return parse_duration(value)
        except Unreadable as problem:
            said = Text(f"参数 {name}（{who.zh}）：{problem.detail.zh}", f"{name}: {problem.detail.en}")
            raise NotALimit(said) from None
    if isinstance(present, tuple):
        codes = tuple(filter(None, map(str.strip, value.split(","))))
        wrong = [code for code in codes if not _CODE.fullmatch(code)]
        if wrong or len(set(codes)) < len(codes):
            zh = f"参数 {name}（{who.zh}）应为不重复的代码，用逗号分开"
            raise NotALimit(Text(zh, f"{name} is a list of codes, each once, divided by commas"))
        return codes
    if isinstance(present, str):
        if value not in WORDS_OF.get(name, (present,)):
            listed = ", ".join(WORDS_OF.get(name, (present,)))
            raise NotALimit(Text(f"参数 {name}（{who.zh}）只能是：{listed}", f"{name} can only be: {listed}"))
        return value
    if not _NUMBER.fullmatch(value) or (isinstance(present, int) and "." in value):
        zh = f"参数 {name}（{who.zh}）不能是“{value}”，应为不小于零的数"
        raise NotALimit(Text(zh, f"{name} cannot be {value!r}: it is a number of zero or more"))
    return int(value) if isinstance(present, int) else float(value)


WORDS_OF = {"form_for_refusal": ("required", "none")}


def faults_of(base: Process, settings: Mapping[str, str]) -> list[Text]:
    """Return everything that keeps these parameters from coming into force; the checks of a file among it."""
    faults: list[Text] = []
    good: dict[str, str] = {}
    for name, value in settings.items():
        try:
            changed = with_settings(base, {name: value}).parameters[name]
        except NotALimit as problem:
            faults.append(problem.text)
            continue
        good[name] = value
        if changed == Duration() and base.parameters[name] != changed:
            who = label_of(name)
            faults.append(Text(f"“{who.zh}”为零，一开始就会超时", f"{name} is zero: it would be missed at once"))
    derived = with_settings(base, good)
    if not faults and derived.parameters == base.parameters:
        faults.append(Text("没有一个参数与流程文件不同", "no parameter differs from the file"))
    unsound = check(derived, Reader(edition_name(base.code, base.version), plain_yaml.Document(None)), rules())
    return faults + [Text(f"流程检查未通过：{fault.message}", fault.message) for fault in unsound]


def texts_that_say(process: Process, name: str) -> list[Text]:
    """Return notices and explanations that state a limit in words: they would go on stating the file's."""
    value = process.parameters.get(name)
    if not isinstance(value, Duration) or value == Duration():
        return []
    words = value.text().zh
    texts = [notice_words(process, notice.text) for notice in process.notices]
    texts += [step.help for step in process.transitions.values() if step.help is not None]
    return [text for text in texts if words in text.zh.replace(" ", "")]


def edition_name(code: str, version: int) -> str:
    return f"{code} {edition_of(version)}"


def next_version(code: str, base_version: int) -> int:
    """Return the number that the next overlay of a file gets; nobody else gets one until the transaction ends.

    Raises Conflict while somebody else changes what is in force: an edition being published waits for the record that
    asks here, so that one must not wait in turn.
    """
    if not _hold("pg_try_advisory_xact_lock", code):
        said = Text(
            "正在发布这个流程的另一个版本，请稍后重试", "an edition of it is being published; try again shortly"
        )
        raise Conflict("busy", said)
    taken = Overlay.objects.filter(process=code, base_version=base_version).order_by("-version").first()
    return taken.version + 1 if taken else base_version * OVERLAYS_PER_VERSION + 1


def hold(code: str) -> None:
    """Let nobody else change what is in force of this process until the transaction ends."""
    _hold("pg_advisory_xact_lock", code)


def _hold(how: str, code: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {how}(hashtext('process.in_force'), hashtext(%s))", [code])
        row = cursor.fetchone()
    return row is not None and row[0] is True


def unfit(files: Mapping[tuple[str, int], Process], rows: Iterable[Overlay]) -> list[Fault]:
    """Return why overlays cannot be derived from the files of this installation; orders may live under each."""
    faults: list[Fault] = []
    for row in rows:
        name = edition_name(row.process, row.version)
        base = files.get((row.process, row.base_version))
        if base is None:
            faults.append(Fault(name, 1, f"stands on version {row.base_version}, of which there is no file"))
            continue
        try:
            with_settings(base, row.settings)
        except NotALimit as problem:
            faults.append(Fault(name, 1, problem.text.en))
    return faults
