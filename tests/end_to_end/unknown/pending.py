"""A prefork server, run by test_pending_work.py, that does a job for a request after it answered it.

usage: pending.py KIND PORT JOBS UPSTREAM

The master replaces each of its four workers that ends. A job appends a line to the file JOBS; a
request for /none starts none. KIND says how the job is left to do: a row of `kinds`, perhaps with a
selector of asyncio's after a dash. UPSTREAM is the port of a server that takes its time."""

import asyncio
import os
import queue
import selectors
import signal
import socket
import sys
import threading
import time

LATER = 0.2
REPLY = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"

kind, selector = (sys.argv[1].split("-") + ["Epoll"])[:2]
port, upstream = int(sys.argv[2]), int(sys.argv[4])
jobs = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def done():
    os.write(jobs, b"done\n")


# ------------------------------------------------------------------ blocking


def take_time():
    time.sleep(LATER)
    done()


def calculate():
    end = time.thread_time() + LATER / 4
    while time.thread_time() < end:
        pass
    done()


def serve_blocking(listener, start):
    """Answers, closes, and then starts the job."""
    while True:
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(4096)
            connection.sendall(REPLY)
        if request and b"/none" not in request:
            start()


def thread_per_job(listener, work):
    serve_blocking(listener, lambda: threading.Thread(target=work).start())


def living_thread(listener, work):
    waiting = queue.Queue()

    def do_all():
        while True:
            waiting.get()()

    threading.Thread(target=do_all, daemon=True).start()
    serve_blocking(listener, lambda: waiting.put(work))


# ------------------------------------------------------------------- asyncio


def serve_by_asyncio(listener, start):
    """Answers, closes, and then awaits the job."""

    async def serve(connection):
        loop = asyncio.get_running_loop()
        with connection:
            request = await loop.sock_recv(connection, 4096)
            await loop.sock_sendall(connection, REPLY)
        if request and b"/none" not in request:
            await start()
            done()

    async def accept():
        loop, tasks = asyncio.get_running_loop(), set()
        while True:
            connection, _ = await loop.sock_accept(listener)
            task = loop.create_task(serve(connection))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listener.setblocking(False)
    loop = asyncio.SelectorEventLoop(getattr(selectors, selector + "Selector")())
    loop.run_until_complete(accept())


async def in_executor(work):
    await asyncio.get_running_loop().run_in_executor(None, work)


async def ask_upstream():
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream)
    writer.write(b"ask\n")
    assert await reader.readline() == b"answer\n"
    writer.close()


class Kept:
    """A connection that is kept for the next request, which follows at once if it waits already."""

    def __init__(self):
        self.lock = self.reader = self.writer = None

    async def ask(self):
        if not self.lock:
            self.lock = asyncio.Lock()
        async with self.lock:
            if not self.reader:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", upstream)
            self.writer.write(b"ask\n")
            assert await self.reader.readline() == b"answer\n"


def watch_by_hand(listener):
    """The connection to the upstream is in the set, with nothing else that would tell of it; the
    answer, when it comes, makes the job."""
    poll = selectors.DefaultSelector()
    poll.register(listener, selectors.EVENT_READ)
    listener.setblocking(False)
    while True:
        for key, _ in poll.select(None):
            if key.fileobj is not listener:
                if key.fileobj.recv(100):
                    done()
                poll.unregister(key.fileobj)
                key.fileobj.close()
                continue
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            with connection:
                request = connection.recv(4096)
                connection.sendall(REPLY)
            if request and b"/none" not in request:
                asked = socket.create_connection(("127.0.0.1", upstream))
                asked.sendall(b"ask\n")
                poll.register(asked, selectors.EVENT_READ)


# ------------------------------------------------------------------- tornado


def tornado_application():
    import tornado.ioloop
    import tornado.web

    class Handler(tornado.web.RequestHandler):
        def get(self):
            self.write("ok\n")
            if self.request.path != "/none":
                tornado.ioloop.IOLoop.current().call_later(LATER, done)

    return tornado.web.Application([("/.*", Handler)])


def serve_by_tornado(listener, every_second=None):
    import tornado.httpserver
    import tornado.ioloop

    listener.setblocking(False)
    if every_second:
        tornado.ioloop.PeriodicCallback(every_second, 1000).start()
    tornado.httpserver.HTTPServer(tornado_application()).add_socket(listener)
    tornado.ioloop.IOLoop.current().start()


def run_fork_processes():
    """tornado's own master, which replaces those only that crash."""
    import tornado.httpserver
    import tornado.ioloop

    server = tornado.httpserver.HTTPServer(tornado_application())
    server.bind(port, "127.0.0.1")
    server.start(4)
    tornado.ioloop.IOLoop.current().start()


# -------------------------------------------------------------------- master

kept = Kept()
kinds = {
    "thread_sleeps": lambda listener: thread_per_job(listener, take_time),
    "thread_calculates": lambda listener: thread_per_job(listener, calculate),
    "queue_sleeps": lambda listener: living_thread(listener, take_time),
    "queue_calculates": lambda listener: living_thread(listener, calculate),
    "task": lambda listener: serve_by_asyncio(listener, lambda: asyncio.sleep(LATER)),
    "executor": lambda listener: serve_by_asyncio(
        listener, lambda: in_executor(lambda: time.sleep(LATER))
    ),
    "quick_executor": lambda listener: serve_by_asyncio(listener, lambda: in_executor(int)),
    "upstream": lambda listener: serve_by_asyncio(listener, ask_upstream),
    "kept_upstream": lambda listener: serve_by_asyncio(listener, kept.ask),
    "watched_upstream": watch_by_hand,
    "tornado": serve_by_tornado,
    "periodic_tornado": lambda listener: serve_by_tornado(listener, every_second=int),
}


def main():
    if kind == "fork_processes":
        run_fork_processes()
    listener = socket.create_server(("127.0.0.1", port), backlog=128)

    def start():
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            kinds[kind](listener)
        return pid

    workers = {start() for _ in range(4)}
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        pid, status = os.wait()
        if status != 0:
            print("ended with status", status, file=sys.stderr, flush=True)
        workers.discard(pid)
        workers.add(start())


main()
