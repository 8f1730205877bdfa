"""slshim metrics: what Prometheus' own tools make of its text, the file for node_exporter, HTTP.

The views are made up (tests/metrics_views.c); that each figure is under its name is in
tests/check_metrics.c."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest

from servers import BUILD, TOP, Missing, accepts, at_once, free_port, get, tool, wait_until

COMMAND = BUILD / "tests" / "metrics_of_views"
VIEWS = ["nothing", "whole", "unknown", "twins", "hostile", "thousand"]
CLASSIC = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def metrics(*words, views="whole", **arguments):
    return subprocess.run(
        [COMMAND, *map(str, words)],
        env=os.environ | {"METRICS_VIEWS": views},
        capture_output=True,
        text=True,
        timeout=20,
        **arguments,
    )


def text_of(*words, views="whole"):
    done = metrics(*words, views=views)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def samples(text, is_openmetrics=False):
    """By name and labels, as the reference parsers read them."""
    try:
        from prometheus_client import parser
        from prometheus_client.openmetrics import parser as openmetrics_parser
    except ImportError:
        raise Missing("python3-prometheus-client is not installed") from None
    read = (openmetrics_parser if is_openmetrics else parser).text_string_to_metric_families
    found = {}
    for family in read(text):
        assert family.documentation
        for sample in family.samples:
            assert sample.timestamp is None
            series = (sample.name, tuple(sorted(sample.labels.items())))
            assert series not in found
            found[series] = float(sample.value)
    return found


def timeless(found):
    """What is told of a time some seconds ago is not the same a second later."""
    now = time.time()
    return {
        series: "lately" if re.search("(timestamp|start_time)_seconds$", series[0]) and now - 3600 < value <= now else value
        for series, value in found.items()
    }


# --------------------------------------------------------------------- formats


@pytest.mark.parametrize("options", [[], ["--per-worker"]], ids=["pools", "workers"])
@pytest.mark.parametrize("views", VIEWS)
def test_promtool(views, options):
    """It finds nothing to complain about: no syntax, no name, no missing help."""
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=text_of(*options, views=views),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("options", [[], ["--per-worker"]], ids=["pools", "workers"])
@pytest.mark.parametrize("views", VIEWS)
def test_both_formats_say_the_same(views, options):
    classic = samples(text_of(*options, views=views))
    openmetrics = samples(text_of("--openmetrics", *options, views=views), is_openmetrics=True)
    assert timeless(classic) == timeless(openmetrics)
    assert ("slshim_unreadable_pools", ()) in classic


def test_hostile_labels_come_through():
    """As they were, but for what a terminal might obey."""
    found = {labels for name, labels in samples(text_of(views="hostile")) if name == "slshim_deaths_total"}
    programs = {dict(labels)["program"] for labels in found}
    assert programs == {'a"} 1?slshim_deaths_total{program="b'}
    assert {dict(labels)["listener"] for labels in found} == {'\\\\"\\ ???? ? café 🐘'}
    assert {dict(labels)["master"] for labels in found} == {"1000", "1000 (2)"}


def test_only_one_pool():
    assert timeless(samples(text_of("1000"))) == timeless(samples(text_of()))
    done = metrics("4711")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "slshim: there is no pool of 4711 that may be read\n"


# -------------------------------------------------------------------- examples

RULES = TOP / "examples" / "slshim.rules.yml"


def promtool(*words):
    done = subprocess.run(
        [tool("promtool"), *map(str, words)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names():
    return {name for name, _ in samples(text_of("--per-worker"))}


def test_rules():
    """They are rules, each has a case in which it alerts, and they are about metrics that there are."""
    promtool("check", "rules", RULES)
    cases = Path(__file__).with_name("slshim.rules.test.yml")
    promtool("test", "rules", cases)
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    alerting = re.findall(r"alertname: (\w+)\n +exp_alerts:\n +- exp_labels", cases.read_text())
    assert sorted(alerts) == sorted(alerting)
    assert set(re.findall(r"\bslshim_[a-z_]+", RULES.read_text())) <= names()


def test_manual_has_every_metric():
    pages = "".join(page.read_text() for page in (TOP / "man").rglob("*") if page.is_file())
    assert names() <= set(re.findall(r"\bslshim_[a-z_]+", pages))


def test_units(tmp_path):
    """systemd understands all of them, but that the command is not installed."""
    for kind in ("service", "timer"):
        unit = (TOP / "examples" / f"slshim-metrics.{kind}").read_text()
        (tmp_path / f"slshim-metrics.{kind}").write_text(unit.replace("=slshim ", f"={COMMAND} "))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", tmp_path / "slshim-metrics.timer",
         tmp_path / "slshim-metrics.service"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------ file


def expect_only(directory, *names):
    assert sorted(path.name for path in directory.iterdir()) == sorted(names)


def test_file(tmp_path):
    """It is replaced, readable for node_exporter's user, and nothing is left beside it."""
    file = tmp_path / "slshim.prom"
    file.write_text("old\n")
    with open(file) as old:
        done = metrics("-o", file, umask=0o077)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert old.read() == "old\n"
    assert timeless(samples(file.read_text())) == timeless(samples(text_of()))
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    expect_only(tmp_path, "slshim.prom")


def test_file_is_whole_at_any_time(tmp_path):
    file = tmp_path / "slshim.prom"
    assert metrics("-o", file, "--per-worker", views="thousand").returncode == 0
    size, seen = file.stat().st_size, 0
    for _ in range(5):
        with subprocess.Popen(
            [COMMAND, "-o", file, "--per-worker"], env=os.environ | {"METRICS_VIEWS": "thousand"}
        ) as process:
            while process.poll() is None:
                assert len(file.read_bytes()) == size
                seen += 1
    assert seen > 5


def test_file_that_cannot_be_written(tmp_path):
    for file, why in [
        (tmp_path / "none" / "slshim.prom", "No such file or directory"),
        (tmp_path / "folder.prom", "Is a directory"),
    ]:
        (tmp_path / "folder.prom").mkdir(exist_ok=True)
        done = metrics("-o", file)
        assert (done.returncode, done.stderr) == (125, f"slshim: -o {file}: {why}\n")
        expect_only(tmp_path, "folder.prom")


def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND], env=os.environ | {"METRICS_VIEWS": "whole"}, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (125, "slshim: standard output: No space left on device\n")


def expect_http(error):
    """Of the build."""
    if "was built without libmicrohttpd" in error:
        raise Missing("libmicrohttpd-dev is not installed")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "slshim.txt"], "-o slshim.txt is refused, because node_exporter reads no file whose name"),
        (["-o", "x.prom", "--openmetrics"], "-o takes no --openmetrics"),
        (["-o", "x.prom", "--listen", "9123"], "accepted: one of them"),
        (["--listen", "9123", "--openmetrics"], "--listen takes no --openmetrics"),
        (["--listen", "localhost:9123"], "--listen localhost:9123 is refused; accepted: PORT, ADDRESS:PORT"),
        (["--listen", "0"], "--listen 0 is refused"),
        (["--listen", "192.0.2.1:9123"], "--listen 192.0.2.1:9123: Cannot assign requested address"),
        (["--listen"], "--listen wants a value"),
        (["-o"], "-o wants a value"),
        (["--no-such-option"], "--no-such-option is no option; accepted: --openmetrics, --per-worker, -o FILE"),
        (["1x"], '"1x" is no pid; accepted: a number'),
        (["0"], '"0" is no pid'),
        (["1", "2"], "metrics takes one pid, or none"),
    ],
)
def test_refused(words, said, tmp_path):
    done = metrics(*words, cwd=tmp_path)
    expect_http(done.stderr)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1
    assert said in done.stderr
    expect_only(tmp_path)


def test_no_proc():
    done = metrics(views="none")
    assert (done.returncode, done.stdout, done.stderr) == (125, "", "slshim: /proc: No such file or directory\n")


# ------------------------------------------------------------------------ HTTP


@contextlib.contextmanager
def listening(*words, address="", views="whole", by=signal.SIGTERM):
    """Its port, while it listens; then it ends with status 0."""
    port = free_port()
    with subprocess.Popen(
        [COMMAND, "--listen", f"{address}{port}", *words],
        env=os.environ | {"METRICS_VIEWS": views},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: process.poll() is not None or accepts(port), "it listens")
            if process.poll() is not None:
                expect_http(process.stderr.read())
            yield port
            process.send_signal(by)
            assert process.wait(10) == 0, process.stderr.read()
        finally:
            process.kill()


def answers(url):
    """With a good status."""
    return subprocess.run([tool("curl"), "-s", "-f", "-m", "20", "-o", "/dev/null", url]).returncode == 0


def curl(url, *options):
    """The status, the headers by name in lower case, and the body."""
    done = subprocess.run(
        [tool("curl"), "-s", "-S", "-i", "-m", "20", *options, url], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    head, body = done.stdout.split("\n\n", 1)
    first, *lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, CLASSIC),
        ("*/*", CLASSIC),
        ("text/plain;version=0.0.4;q=0.5", CLASSIC),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
    ],
)
def test_content_type_is_by_accept(accept, content_type):
    with listening("--per-worker") as port:
        header = "Accept:" if accept is None else f"Accept: {accept}"
        status, headers, body = curl(f"http://127.0.0.1:{port}/metrics", "-H", header)
    is_openmetrics = content_type == OPENMETRICS
    assert (status, headers["content-type"]) == (200, content_type)
    assert samples(body, is_openmetrics).keys() == samples(text_of("--per-worker")).keys()


def test_head():
    with listening() as port:
        _, headers, body = curl(f"http://127.0.0.1:{port}/metrics")
        status, only_headers, nothing = curl(f"http://127.0.0.1:{port}/metrics", "--head")
    assert (status, nothing) == (200, "")
    assert only_headers["content-length"] == headers["content-length"] == str(len(body.encode()))


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metricsx", "//metrics", "/../metrics", "/%00"])
def test_nothing_else_is_there(path):
    with listening() as port:
        status, _, body = curl(f"http://127.0.0.1:{port}{path}", "--path-as-is")
    assert (status, body) == (404, "The metrics are at /metrics.\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "X"])
def test_other_methods(method):
    with listening() as port:
        url = f"http://127.0.0.1:{port}/metrics"
        status, headers, _ = curl(url, "-X", method, "-d", "x" * 100)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
        assert curl(url)[0] == 200


@pytest.mark.parametrize("address", ["", ":", "127.0.0.1:", "0.0.0.0:"])
def test_addresses(address):
    """Only what was named: another address of loopback is refused."""
    with listening(address=address) as port:
        assert curl(f"http://127.0.0.1:{port}/metrics")[0] == 200
        with socket.socket() as client:
            refused = client.connect_ex(("127.0.0.2", port)) != 0
    assert refused == (address != "0.0.0.0:")


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="there is no ::1")
def test_ipv6():
    """[::] is of IPv4, too, as Linux has it."""
    with listening(address="[::]:") as port:
        assert curl(f"http://[::1]:{port}/metrics")[0] == 200
        assert curl(f"http://127.0.0.1:{port}/metrics")[0] == 200


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_ends_at_a_signal(by):
    """Also while a client is connected that says nothing."""
    with listening(by=by) as port, socket.create_connection(("127.0.0.1", port), timeout=20):
        assert curl(f"http://127.0.0.1:{port}/metrics")[0] == 200


def test_port_in_use():
    with listening() as port:
        done = metrics("--listen", port)
    assert (done.returncode, done.stderr) == (125, f"slshim: --listen {port}: Address already in use\n")


def test_clients_that_say_nothing_do_not_take_all():
    """Beyond so many connections it closes what comes; the silent ones time out, and it answers."""
    with listening() as port, contextlib.ExitStack() as clients:
        silent = [
            clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            for _ in range(64)
        ]
        start = time.monotonic()
        for client in silent:
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
        assert time.monotonic() - start < 25
        assert curl(f"http://127.0.0.1:{port}/metrics")[0] == 200


def test_long_request():
    with listening() as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/metrics", headers={"X": "x" * 100_000})
            assert connection.getresponse().status in (413, 414, 431)
        assert curl(f"http://127.0.0.1:{port}/metrics")[0] == 200


def test_many_clients():
    expected = len(text_of("--per-worker", views="thousand"))
    with listening("--per-worker", views="thousand") as port:
        url = f"http://127.0.0.1:{port}/metrics"
        for status, _, body in at_once(*[lambda: curl(url)] * 8):
            assert (status, len(body)) == (200, expected)


def test_no_proc_over_http():
    with listening(views="none") as port:
        status, _, body = curl(f"http://127.0.0.1:{port}/metrics")
    assert (status, body) == (500, "There are no figures.\n")


# ------------------------------------------------------------------ who reads it


@contextlib.contextmanager
def running(*words, port):
    """A program that listens there."""
    with subprocess.Popen([str(word) for word in words], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: accepts(port), f"{words[0]} listens")
            yield
        finally:
            process.kill()


def without_empty_labels(found):
    """What has none and what has an empty one are the same to Prometheus."""
    return {
        (name, tuple(label for label in labels if label[1] != "")): value
        for (name, labels), value in found.items()
    }


@pytest.mark.parametrize("views", VIEWS)
def test_node_exporter(views, tmp_path):
    """Its textfile collector takes the file, and passes on what is in it."""
    port = free_port()
    exporter = [
        tool("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={tmp_path}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    assert metrics("-o", tmp_path / "slshim.prom", "--per-worker", views=views).returncode == 0
    with running(*exporter, port=port):
        passed_on = samples(get(f"http://127.0.0.1:{port}/metrics"))
    assert passed_on[("node_textfile_scrape_error", ())] == 0
    assert ("node_textfile_mtime_seconds", (("file", str(tmp_path / "slshim.prom")),)) in passed_on
    ours = {series: value for series, value in passed_on.items() if series[0].startswith("slshim_")}
    written = samples((tmp_path / "slshim.prom").read_text())
    assert without_empty_labels(ours) == without_empty_labels(written)


PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: slshim
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@pytest.mark.parametrize("views", ["whole", "hostile"])
def test_prometheus(views, tmp_path):
    """It scrapes what is there, and evaluates the rules."""
    port = free_port()
    api = f"http://127.0.0.1:{port}/api/v1"

    def ask(path):
        return json.loads(get(f"{api}/{path}"))["data"]

    def has_scraped():
        return [target for target in ask("targets")["activeTargets"] if target["health"] != "unknown"]

    def have_been_evaluated():
        rules = ask("rules")["groups"][0]["rules"]
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    with listening("--per-worker", views=views) as source:
        (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(rules=RULES, port=source))
        server = [
            tool("prometheus"), f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        with running(*server, port=port):
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "Prometheus is ready")
            [target] = wait_until(has_scraped, "it has scraped")
            assert (target["health"], target["lastError"]) == ("up", "")
            assert {rule["health"] for rule in wait_until(have_been_evaluated, "the rules")} == {"ok"}
            query = urllib.parse.quote('{__name__=~"slshim_.+"}')
            scraped = {}
            for one in ask(f"query?query={query}")["result"]:
                labels = one["metric"]
                name = labels.pop("__name__")
                del labels["job"], labels["instance"]
                scraped[(name, tuple(sorted(labels.items())))] = float(one["value"][1])
    there = samples(text_of("--per-worker", views=views))
    assert timeless(scraped) == timeless(without_empty_labels(there))
