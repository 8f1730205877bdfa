"""From nothing but the packages and the README that is in them, in a Debian that has just been
installed: apache2 is recycled, and Debian's prometheus knows it."""

import json
import re
import subprocess

import pytest
from factory import OURS, site
from servers import DEMO, growing, leavings, number, wait_until

pytestmark = pytest.mark.long

DOCUMENTS = "/usr/share/doc/slshim"
ERRORS = "/var/log/apache2/error.log"
DROP_IN = "/etc/systemd/system/apache2.service.d/override.conf"


@pytest.fixture(scope="module")
def machine(packages):
    with site() as machine:
        machine.install(*(next(packages.glob(f"{name}_*.deb")) for name in OURS))
        yield machine


def let_apache_grow(machine):
    """It gets a handler whose memory grows, as the server of a user has."""
    subprocess.run(["cp", "-R", DEMO, machine.root / "srv" / "grow"], check=True)
    machine.run("chmod 777 /srv/grow; a2dismod -q mpm_event; a2enmod -q mpm_prefork")
    handler = growing(preloaded_mb=4, unshared_kb=64).replace(str(DEMO), "/srv/grow")
    machine.write("/etc/apache2/conf-enabled/grow.conf", handler.replace("@directory@", "/srv/grow"))


def load(machine):
    """A thousand requests, of which none fails."""
    said = machine.run("ab -q -n 1000 -c 4 http://localhost/grow")
    assert number(r"Complete requests: +(\d+)", said) == 1000
    assert number(r"Failed requests: +(\d+)", said, None) == 0 and "Non-2xx" not in said


def left(machine):
    return len(leavings((machine.root / ERRORS.lstrip("/")).read_text()))


def recycle(machine):
    """Sets what the README has first for a server of systemd's, and loads it."""
    beginning = machine.run(f"zcat {DOCUMENTS}/README.md.gz").partition("\n## ")[0]
    settings = "\n".join(re.findall(r"^    (\[Service\]|Environment=.*)$", beginning, re.MULTILINE))
    assert settings.startswith("[Service]\n") and "SL_MAX_UNSHARED" in settings
    machine.run("systemctl edit --stdin apache2", input=settings + "\n")
    checked = machine.run(f"slshim check -f {DROP_IN} apache2")
    assert checked.startswith("understood: SL_MAX_UNSHARED=")
    machine.run("systemctl restart apache2")
    for _ in range(50):
        load(machine)
        if left(machine) >= 5:
            return
    raise AssertionError(machine.run(f"cat {ERRORS}; slshim status"))


def asked(machine, query):
    """The values that prometheus answers with."""
    said = machine.run(f"curl -sS --get --data-urlencode 'query={query}' localhost:9090/api/v1/query")
    return [float(result["value"][1]) for result in json.loads(said)["data"]["result"]]


def test_from_nothing_to_prometheus(machine):
    let_apache_grow(machine)
    recycle(machine)
    count = left(machine)
    assert "SL_MAX_UNSHARED=51200" in (shown := machine.run("slshim status")) and f"{count} left" in shown

    units = f"{DOCUMENTS}/examples/slshim-metrics.service {DOCUMENTS}/examples/slshim-metrics.timer"
    machine.run(f"cp {units} /etc/systemd/system/; systemctl enable --now slshim-metrics.timer")
    wait_until(
        lambda: asked(machine, 'slshim_workers_left_total{program="apache2"}') == [count],
        "prometheus knows how many have left",
        120,
    )
