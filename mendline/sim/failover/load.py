"""Reports without end, each asked again under its key until it is acknowledged: a process on the application's machine.

`python -m mendline.sim.failover.load PORT TOKEN FOLDER`. Each client writes down what it is about to ask, and then
what it was told, with the moment of a clock that all processes of the machine share. It ends when FOLDER/stop is there.
"""

from __future__ import annotations

import http.client
import json
import secrets
import sys
import time
from pathlib import Path
from threading import Thread

CLIENTS = 4
TIMEOUT = 6.0  # longer than the web's own limit for a statement


def client(number: int, port: int, token: str, folder: Path) -> None:
    from mendline.sim.bench.small_country import reports  # its neighbours want Django set up first

    given = reports(secrets.randbits(32))
    with (folder / f"client-{number}.log").open("a", encoding="utf-8") as journal:
        while not (folder / "stop").exists():
            key, body = secrets.token_hex(12), json.dumps({"given": next(given)}, ensure_ascii=False).encode()
            journal.write(f"sent {key} {time.monotonic():.4f}\n")
            journal.flush()
            while (answer := ask(port, token, key, body)) is None:
                if (folder / "stop").exists():
                    return
                time.sleep(0.05)
            status, said = answer
            word = said if status in (200, 201) else f"refused-{status}"
            journal.write(f"told {key} {time.monotonic():.4f} {word}\n")
            journal.flush()


def ask(port: int, token: str, key: str, body: bytes) -> tuple[int, str] | None:
    """Send a report once; None when nobody can tell what became of it: no answer, or a server's own trouble."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        line.request("POST", "/api/v1/orders", body, headers)
        answer = line.getresponse()
        content = answer.read()
        if answer.status >= 500 or answer.status == 409:
            return None
        return answer.status, str(json.loads(content).get("ref", ""))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        line.close()


def main() -> None:
    port, token, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    clients = [Thread(target=client, args=(number, port, token, folder)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()


if __name__ == "__main__":
    import django

    django.setup()
    main()
