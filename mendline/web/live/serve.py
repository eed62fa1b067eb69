"""The process that tells open pages what changed: `python -m mendline.web.live.serve --port 8100`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Sequence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from mendline.web.live.stream import LONGEST_REQUEST, Exchange  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Open pages come back by themselves to the next process."""
    parser = argparse.ArgumentParser(prog="mendline live")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args(arguments)

    async def serve() -> None:
        stopping = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
        await listen(given.host, given.port, stopping)

    asyncio.run(serve())


async def listen(
    host: str, port: int, stopping: asyncio.Event, ready: Callable[[int], None] = lambda port: None
) -> None:
    """Serve until `stopping` is set; `ready` is told the port, which 0 leaves to the system."""
    exchange = Exchange()
    server = await asyncio.start_server(exchange.serve, host, port, limit=LONGEST_REQUEST, backlog=512)
    telling = asyncio.create_task(exchange.run())
    waiting = asyncio.create_task(stopping.wait())
    ready(server.sockets[0].getsockname()[1])
    try:
        await asyncio.wait({telling, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            telling.result()  # it ends by a fault only, which must be seen
    finally:
        server.close()
        telling.cancel()
        waiting.cancel()
        await exchange.close()


if __name__ == "__main__":
    main()
