"""Streams of 20 seconds, of server-sent events and of messages on WebSockets, beside short requests:
none is cut by default, while the workers that have one are over a limit, on each server whose workers
can hold one beside others."""

import asyncio
import http.client
from concurrent.futures import ThreadPoolExecutor

import pytest

import test_puma
from marks import long_but
from servers import Missing, load_until_left, sessions, shim
from test_gunicorn import THREADS, Variant

EVENTS, INTERVAL = 40, 0.5
STREAMS = 3  # of four workers

WSGI = f"""
import time

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return events() if environ["PATH_INFO"] == "/stream" else [b"ok\\n"]

def events():
    for number in range({EVENTS}):
        yield b"data: %d\\n\\n" % number
        time.sleep({INTERVAL})
"""

ASGI = f"""
import asyncio

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept"}})
        for number in range({EVENTS}):
            await send({{"type": "websocket.send", "text": str(number)}})
            await asyncio.sleep({INTERVAL})
        await send({{"type": "websocket.close"}})
    elif scope["type"] == "http":
        await send({{"type": "http.response.start", "status": 200}})
        for number in range({EVENTS} if scope["path"] == "/stream" else 0):
            event = b"data: %d\\n\\n" % number
            await send({{"type": "http.response.body", "body": event, "more_body": True}})
            await asyncio.sleep({INTERVAL})
        await send({{"type": "http.response.body", "body": b"ok\\n"}})
"""

AIOHTTP = f"""
import asyncio
from aiohttp import web

async def answer(request):
    return web.Response(text="ok\\n")

async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range({EVENTS}):
        await response.write(b"data: %d\\n\\n" % number)
        await asyncio.sleep({INTERVAL})
    return response

async def messages(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for number in range({EVENTS}):
        await socket.send_str(str(number))
        await asyncio.sleep({INTERVAL})
    await socket.close()
    return socket

async def application():
    application = web.Application()
    application.router.add_get("/", answer)
    application.router.add_get("/stream", stream)
    application.router.add_get("/messages", messages)
    return application
"""

RACK = f"""
class Events
  def each
    {EVENTS}.times {{ |number| yield "data: #{{number}}\\n\\n"; sleep {INTERVAL} }}
  end
end

run lambda {{ |env|
  body = env["PATH_INFO"] == "/stream" ? Events.new : ["ok\\n"]
  [200, {{"Content-Type" => "text/plain"}}, body]
}}
"""


class Puma(test_puma.Puma):
    application = RACK


def gunicorn(name, options, application):
    variant = Variant(f"gunicorn {name}", ("-k", *options), application)

    def make(environment):
        server = variant.make(environment)
        server.workers_at_start = 4
        return server

    return make


UVICORN = gunicorn("uvicorn", ["uvicorn.workers.UvicornWorker"], ASGI)
AIOHTTP_WORKER = gunicorn("aiohttp", ["aiohttp.GunicornWebWorker"], AIOHTTP)
SERVERS = {
    "puma": Puma,
    "gthread": gunicorn("gthread", ["gthread", *THREADS], WSGI),
    "gevent": gunicorn("gevent", ["gevent"], WSGI),
    "eventlet": gunicorn("eventlet", ["eventlet"], WSGI),
    "uvicorn, uvloop": UVICORN,
    "uvicorn, asyncio": gunicorn("uvicorn", ["uvicorn.workers.UvicornH11Worker"], ASGI),
    "aiohttp": AIOHTTP_WORKER,
}


def receive_events(server):
    """How many came; one that is cut is an exception."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/stream")
    return connection.getresponse().read().count(b"data: ")


def receive_messages(server):
    try:
        import aiohttp
        import wsproto  # uvicorn's
    except ImportError as error:
        raise Missing(f"{error.name} is not installed") from error
    assert wsproto

    async def receive():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(server.url("/messages")) as socket:
                messages = [message async for message in socket]
                assert socket.close_code == 1000
                return len(messages)

    return asyncio.run(receive())


def expect_uncut(make, receive):
    """The workers that have a stream are over the limit before it ends, and leave soon after."""
    with make(shim(SL_MAX_CONNECTIONS=20)) as server, ThreadPoolExecutor(STREAMS) as pool:
        streams = [pool.submit(receive, server) for _ in range(STREAMS)]
        while not all(stream.done() for stream in streams):
            sessions(server.port, 100, clients=4).expect_good()
        assert [stream.result() for stream in streams] == [EVENTS] * STREAMS
        load_until_left(server, 4, lambda server: sessions(server.port, 100))
        server.stop()


@pytest.mark.parametrize("name", long_but(["puma", "gthread", "gevent", "uvicorn, uvloop"], SERVERS))
def test_events(name):
    expect_uncut(SERVERS[name], receive_events)


@pytest.mark.parametrize("make", [UVICORN, AIOHTTP_WORKER], ids=["uvicorn", "aiohttp"])
def test_messages(make):
    expect_uncut(make, receive_messages)
