#!/usr/bin/env python3
"""The demo's load: load.py RATE SECONDS URL ... opens a new connection to each of the URLs so many
times a second, whether or not those before are answered, because then all who come during a stall
see it; most tools ask again only when they have an answer. It is a process of its own, so that only
the machine delays it. It writes a line for each request: the number of the URL, the second by the
monotonic clock, and how many milliseconds it took to the end of the answer; NaN if it failed."""

import asyncio
import sys
import time
from urllib.parse import urlsplit

PATIENCE = 30  # seconds


async def ask(url):
    """Is the answer a good one?"""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
        return b" 200 " in (await reader.read()).partition(b"\n")[0]
    finally:
        writer.close()


async def note(number, url):
    start = time.monotonic()
    try:
        is_good = await asyncio.wait_for(ask(url), PATIENCE)
    except (OSError, asyncio.TimeoutError):
        is_good = False
    took = (time.monotonic() - start) * 1000 if is_good else float("nan")
    print(number, f"{start:.3f} {took:.2f}")


async def main(rate, seconds, urls):
    start = time.monotonic()
    requests = []
    for count in range(rate * seconds):
        await asyncio.sleep(start + count / rate - time.monotonic())
        requests += [asyncio.create_task(note(*each)) for each in enumerate(urls)]
    await asyncio.gather(*requests)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
