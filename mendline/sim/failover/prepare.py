"""A small country and the key of a call-centre agent, in a database that was just migrated; prints the key."""

from __future__ import annotations

import sys


def main() -> None:
    import django

    django.setup()
    from mendline.sim.bench.small_country import fill_network, issue_tokens

    fill_network(stations=200, coverage_rows=20_000, lines=4)
    sys.stdout.write(issue_tokens()["cc"])


if __name__ == "__main__":
    main()
