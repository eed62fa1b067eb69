"""How a page of evidence states a claim: with its n, and with no more than n allows."""

from __future__ import annotations


def rate(failures: int, n: int) -> str:
    """Say a rate, or what may be said of one that never happened.

    >>> rate(0, 1500), rate(2, 100), rate(0, 2), rate(0, 0)
    ('0 of 1,500 (< 0.2 %)', '2 of 100 (2 %)', '0 of 2 (< 100 %)', 'not tried')
    """
    if not n:
        return "not tried"
    share = 100 * failures / n if failures else min(100.0, 300 / n)
    digits = f"{share:.2g}" if share < 99 else f"{share:.0f}"
    return f"{failures:,} of {n:,} ({'' if failures else '< '}{digits} %)"


def table(*rows: tuple[str, object]) -> str:
    """Return claims as a table, after an empty line."""
    return "\n| Claim / 结论 | n |\n| --- | --- |\n" + "".join(f"| {says} | {n} |\n" for says, n in rows)
