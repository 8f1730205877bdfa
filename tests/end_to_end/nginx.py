"""nginx's configurations; and nginx, without slshim, as the HTTP client's way to servers that speak
FastCGI, so that they can be loaded by HTTP tools."""

import urllib.error

from known import Known
from servers import Server, as_root, get, tool, wait_until


def configuration(server, http, main):
    """All that nginx writes goes to the server's directory, its log to `output` there."""
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return f"""
{"user www-data;" if as_root() else ""}
{main}
daemon off;
pid {server.directory}/nginx.pid;
error_log {server.directory}/output notice;
events {{
    worker_connections 512;
}}
http {{
    access_log off;
    {" ".join(f"{path}_temp_path {server.directory}/temporary;" for path in paths)}
    {http}
}}
"""


class FastcgiClient(Server):
    """Listens on `port` and passes a request for /NAME... on to the address of that name; "" is that
    of all others. Its connections are kept alive for so many requests, if any."""

    def __init__(self, port, addresses, script, requests=0):
        super().__init__()
        self.port, self.addresses, self.script = port, addresses, script
        self.requests = requests

    def _upstream(self, name, address):
        # A user would leave it at 1000. A worker that speaks FastCGI belongs to its connection until
        # that is closed, and leaves after so many connections: with five requests the same happens as
        # after 200 times as many.
        keep = f"keepalive 8; keepalive_requests {self.requests};" if self.requests else ""
        return f"upstream pool_{name} {{ server {address}; {keep} }}\n"

    def _location(self, name):
        return f"""
location /{name} {{
    fastcgi_pass pool_{name};
    fastcgi_keep_conn {"on" if self.requests else "off"};
    fastcgi_param SCRIPT_FILENAME {self.script};
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param QUERY_STRING $query_string;
}}
"""

    def start(self):
        upstreams = "".join(self._upstream(*item) for item in self.addresses.items())
        locations = "".join(map(self._location, self.addresses))
        http = f"{upstreams} server {{ listen 127.0.0.1:{self.port}; {locations} }}"
        file = self.directory / "nginx.conf"
        file.write_text(configuration(self, http, "worker_processes 1;"))
        with open(self.directory / "output", "a") as output:
            self.spawn([tool("nginx"), "-c", file], stdout=output, stderr=output)
        wait_until(self._answers, f"nginx answers, see {self.directory}")

    def _answers(self):
        try:
            get(f"http://127.0.0.1:{self.port}/")
        except urllib.error.HTTPError:  # nobody behind it yet
            return True
        except OSError:
            return False
        return True


class FastcgiServer(Known):
    """A known server whose HTTP port is that of an nginx before it."""

    requests = 0  # on a connection between the two that is kept alive

    def addresses(self):
        """For FastcgiClient."""
        return {"": f"unix:{self.directory}/socket"}

    @property
    def script(self):
        raise NotImplementedError

    def start(self):
        self.front = FastcgiClient(self.port, self.addresses(), self.script, self.requests)
        self.front.__enter__()
        super().start()

    def __exit__(self, *_):
        super().__exit__()
        self.front.__exit__()

    def is_answering(self):
        assert self.process.poll() is None, f"it ended:\n{self.log()}"
        try:
            return get(self.url()) == "ok\n"
        except OSError:
            return False
