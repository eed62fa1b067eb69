"""Settings from the environment: read once, typed, and loud when wrong.

Every reader names the variable, what was found and what to do, because the person who reads the message is
usually looking at a log of a process that did not start.
"""

import os
from collections.abc import Collection
from pathlib import Path


class SettingError(Exception):
    """A setting is missing or unreadable. The message names it and says what to write instead."""


def env_text(name: str, default: str | None = None) -> str:
    """Return the variable `name`, or `default` if it is unset or empty.

    Raises:
        SettingError: it is unset and has no default.
    """
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise SettingError(f"缺少设置 {name}，请在环境变量中填写。 {name} is not set: set it in the environment.")
    return default


def env_flag(name: str, default: bool) -> bool:
    """Return the variable `name` as a yes or no. Only `true` and `false` are accepted.

    `1`, `yes` or `True` are refused, so that nobody has to guess what `DEBUG=off` means.
    """
    value = env_text(name, "true" if default else "false")
    if value not in ("true", "false"):
        raise SettingError(
            f"设置 {name} 只能是 true 或 false，现在是 {value!r}。 {name} must be true or false, not {value!r}."
        )
    return value == "true"


def env_number(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """Return the variable `name` as a whole number from `minimum` to `maximum` (both included)."""
    text = env_text(name, str(default))
    upper = "" if maximum is None else str(maximum)
    try:
        number = int(text)
    except ValueError:
        number = minimum - 1
    if number < minimum or (maximum is not None and number > maximum):
        raise SettingError(
            f"设置 {name} 应为 {minimum} 至 {upper} 的整数，现在是 {text!r}。"
            f" {name} must be a whole number from {minimum} to {upper or 'any'}, not {text!r}."
        )
    return number


def env_list(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return the variable `name` split at commas, without empty parts."""
    return [part for part in (part.strip() for part in env_text(name, ",".join(default)).split(",")) if part]


def env_some_of(name: str, known: Collection[str], default: tuple[str, ...] = ()) -> frozenset[str]:
    """Return the words of the variable `name`, each of which must be known; `none` and `all` mean what they say."""
    words = env_list(name, default)
    if words in (["none"], ["all"]):
        return frozenset(known if words == ["all"] else ())
    if unknown := sorted(set(words) - set(known)):
        raise SettingError(
            f"设置 {name} 中的 {'、'.join(unknown)} 不认识；可以写 none、all，或：{'、'.join(sorted(known))}。"
            f" {name}: unknown {', '.join(unknown)}; write none, all, or some of these: {', '.join(sorted(known))}."
        )
    return frozenset(words)


def env_secret(name: str) -> str:
    """Return a secret: the content of the file that `<name>_FILE` names, otherwise the variable `name`.

    There is no default. A file is better than a variable, because children and crash reports see variables.

    Raises:
        SettingError: neither is set, or the file is missing or empty.
    """
    file_name = os.environ.get(f"{name}_FILE", "").strip()
    if not file_name:
        return env_text(name)
    try:
        secret = Path(file_name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingError(
            f"无法读取 {name}_FILE 指定的文件。 {name}_FILE cannot be read: {error.strerror}: {file_name}"
        ) from error
    if not secret:
        raise SettingError(f"{name}_FILE 指定的文件是空的。 The file named by {name}_FILE is empty: {file_name}")
    return secret


def has_env(name: str) -> bool:
    """Say whether `name` or `<name>_FILE` is set to something."""
    return any(os.environ.get(key, "").strip() for key in (name, f"{name}_FILE"))
