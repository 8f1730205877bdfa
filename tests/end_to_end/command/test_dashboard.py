"""examples/slshim-dashboard.json: it is what Grafana reads, about metrics that there are, and each
panel has something to show of a real pool under load."""

import json
import math
import re
import urllib.parse

import pytest

import published
from servers import TOP, Httpd, free_port, get, growing, load_until, shim, tool, wait_until, wrk
from test_metrics import PROMETHEUS, RULES, answers, names, promtool, running
from test_metrics_of_a_server import COMMAND

pytestmark = pytest.mark.alone

DASHBOARD = json.loads((TOP / "examples" / "slshim-dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PUBLISHED = "@grafana/schema/dist/types/raw"


def expressions(panel):
    """As Grafana would ask, if everything is chosen."""
    values = {"$job": ".*", "$program": ".*", "$__rate_interval": "20s"}
    for target in panel["targets"]:
        expression = target["expr"]
        for name, value in values.items():
            expression = expression.replace(name, value)
        assert "$" not in expression
        yield expression


def test_is_what_grafana_reads():
    """And a wrong word would be found."""
    dashboard = (f"{PUBLISHED}/dashboard/x/types.gen.d.ts", "Dashboard")
    asked = [(*dashboard, DASHBOARD), (*dashboard, DASHBOARD | {"pannels": []})]
    for kind in ("timeseries", "stat"):
        path = f"{PUBLISHED}/composable/{kind}/panelcfg/x/types.gen.d.ts"
        for panel in PANELS:
            if panel["type"] == kind:
                asked.append((path, "Options", panel["options"]))
                if kind == "timeseries":
                    asked.append((path, "FieldConfig", panel["fieldConfig"]["defaults"]["custom"]))
    first, wrong, *others = published.faults(*asked)
    assert len(wrong) == 1 and "pannels" in wrong[0]
    assert [first, *others] == [[]] * (len(asked) - 1)


def test_panels():
    """Each has a number and a place of its own, a text that says what it is about, and queries that
    have the chosen source, job and program."""
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken and place["x"] + place["w"] <= 24
        taken |= cells
    for panel in PANELS:
        assert panel["title"] and panel["description"].endswith(".")
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            selectors = re.findall(r"\{[^{}]*\}", target["expr"])
            assert selectors and all('job=~"$job"' in one for one in selectors)


def test_expressions(tmp_path):
    """Prometheus understands them, and they are about metrics that there are."""
    rules = [
        {"record": f"panel:{panel['id']}:{i}", "expr": expression}
        for panel in PANELS
        for i, expression in enumerate(expressions(panel))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)
    of_host = {"slshim_configuration_errors", "slshim_unmapped_processes"}  # only where there are any
    assert set(re.findall(r"\bslshim_[a-z_]+", json.dumps(DASHBOARD))) <= names() | of_host


class Prometheus:
    def __init__(self, port):
        self.api = f"http://127.0.0.1:{port}/api/v1"

    def values(self, expression):
        query = urllib.parse.quote(expression)
        result = json.loads(get(f"{self.api}/query?query={query}"))["data"]["result"]
        return [float(one["value"][1]) for one in result]

    def shows(self, panel):
        return any(
            not math.isnan(value) for expression in expressions(panel) for value in self.values(expression)
        )


def test_each_panel_shows_a_real_pool(tmp_path):
    """An httpd whose workers leak, leave and are replaced under load, until there is something of
    everything."""
    source, port = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(rules=RULES, port=source))
    prometheus = Prometheus(port)
    settings = shim(SL_MAX_UNSHARED="8M", SL_MAX_CONNECTIONS=100000)
    config = growing(preloaded_mb=16, unshared_kb=64)
    with Httpd(settings, modules=("perl",), config=config, workers_at_start=4) as server:
        server_of_metrics = [COMMAND, "metrics", "--listen", source, server.master.pid]
        scraper = [
            tool("prometheus"), f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}",
        ]  # fmt: skip
        with running(*server_of_metrics, port=source), running(*scraper, port=port):
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/-/ready"), "Prometheus is ready")
            missing = PANELS

            def grow(server):
                return wrk(server.url("/grow"), seconds=1, clients=4, keep_alive=False)

            def is_enough():
                nonlocal missing
                missing = [panel for panel in missing if not prometheus.shows(panel)]
                return not missing

            try:
                load_until(server, is_enough, grow, 90)
            except AssertionError as error:
                raise AssertionError(f"{error}: {[panel['title'] for panel in missing]}") from None
            # Figures that are known from elsewhere.
            assert prometheus.values('slshim_limit_bytes{quantity="unshared"}') == [8 << 20]
            (left,) = prometheus.values("slshim_workers_left_total")
            assert 0 < left <= len(server.leavings())
