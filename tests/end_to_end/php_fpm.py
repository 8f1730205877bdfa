"""php-fpm behind nginx."""

from collections import Counter
from pathlib import Path

from nginx import FastcgiServer
from servers import as_root, free_port, tool

SCRIPT = """<?php
function note($what) { file_put_contents(dirname(__DIR__) . "/witness", "$what\\n", FILE_APPEND); }
echo "ok\\n";
if (isset($_GET["job"])) {
    register_shutdown_function("note", "shutdown");
    fastcgi_finish_request();
    usleep(random_int(0, 3000));
    note("background");
}
"""

MANAGERS = {
    "static": "pm = static\npm.max_children = 4",
    "dynamic": """pm = dynamic
pm.max_children = 16
pm.start_servers = 8
pm.min_spare_servers = 1
pm.max_spare_servers = 12""",
    "ondemand": "pm = ondemand\npm.max_children = 64",
}


class PhpFpm(FastcgiServer):
    title = "php-fpm"
    manager = "static"
    on_port = False
    pools = ("",)
    chroot = False  # each worker confines itself to htdocs
    settings = ()  # of php's, as NAME=VALUE
    script_text = SCRIPT

    def __init__(self, environment=None, own=None):
        super().__init__(environment, own)
        self.backend = free_port()

    def addresses(self):
        if self.on_port:
            return {"": f"127.0.0.1:{self.backend}"}
        return {pool: f"unix:{self.socket(pool)}" for pool in self.pools}

    def socket(self, pool):
        return self.directory / f"{pool}.socket"

    @property
    def script(self):
        """Its path as the workers see it."""
        return Path("/" if self.chroot else self.htdocs) / "index.php"

    @property
    def htdocs(self):
        return self.directory / "htdocs"

    def _pool(self, name):
        return f"""
[pool-{name}]
{"user = www-data" if as_root() else ""}
listen = {f"127.0.0.1:{self.backend}" if self.on_port else self.socket(name)}
listen.mode = 0666
{f"chroot = {self.htdocs}" if self.chroot else ""}
{MANAGERS[self.manager]}
pm.max_requests = {self.own or 0}
"""

    def prepare(self):
        self.workers_at_start = {"static": 4, "dynamic": 8, "ondemand": 1}[self.manager]
        self.htdocs.mkdir()
        (self.htdocs / "index.php").write_text(self.script_text)
        head = f"[global]\nerror_log = {self.output}\ndaemonize = no\n"
        head += "process_control_timeout = 30\n"  # without it a reload drops what is being served
        pools = "".join(map(self._pool, self.pools))
        (self.directory / "php-fpm.conf").write_text(head + pools)

    def command(self):
        settings = [word for setting in self.settings for word in ("-d", setting)]
        return [find_program(), "-n", *settings, "-F", "-y", str(self.directory / "php-fpm.conf")]

    def noted(self):
        return Counter(self.witness.read_text().split())


def find_program():
    """Debian's has its version in its name."""
    names = sorted(program.name for program in Path("/usr/sbin").glob("php-fpm*"))
    return tool(names[-1] if names else "php-fpm")
