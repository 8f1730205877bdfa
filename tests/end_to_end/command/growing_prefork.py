"""A prefork server whose workers grow in one of the ways that slshim advise tells from each other:

    growing_prefork.py KIND WORKERS

KIND is plateau, leak, jumps or born; `slow` is a plateau that takes long. Like the other servers of
the tests it says its port and its pid. It knows nothing of slshim."""

import os
import signal
import socket
import sys

KB = 1024
kept = []


def grow(kind, request):
    sum(range(5000))  # without the library, work is told by processor time
    if kind == "leak":
        kept.append(b"x" * (16 * KB))
    if kind == "plateau" and request <= 200:
        kept.append(b"x" * (64 * KB))
    if kind == "slow":
        kept.append(b"x" * (300 * KB * 200 // (200 + request) ** 2 * 200))
    if kind == "jumps" and request % 200 == os.getpid() % 200:
        kept.append(b"x" * (8192 * KB))


def work(listener, kind):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if kind == "born":
        kept.append(b"x" * (32768 * KB))
    request = 0
    while True:
        connection, _ = listener.accept()
        request += 1
        while b"\r\n\r\n" not in connection.recv(4096):
            pass
        grow(kind, request)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        connection.close()


def start_worker(listener, kind):
    pid = os.fork()
    if pid == 0:
        try:
            work(listener, kind)
        finally:
            os._exit(1)
    return pid


def main(kind, workers):
    listener = socket.create_server(("127.0.0.1", 0), backlog=511)
    print(f"port {listener.getsockname()[1]} pid {os.getpid()}", flush=True)
    for _ in range(int(workers)):
        start_worker(listener, kind)
    while True:
        os.wait()
        start_worker(listener, kind)


main(*sys.argv[1:])
