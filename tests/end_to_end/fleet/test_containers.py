"""packaging/container: the image, the ways from it into a server's container, and a pod as
examples/kubernetes describes it, by podman."""

import contextlib
import copy
import ctypes
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest
import yaml

from containers import Podman
from debian import tree
from servers import TOP, LeakyPrefork, ab, accepts, get, load_until_left, shim, tool, wait_until
from test_kubernetes import EXAMPLES, kustomize, spec_of

pytestmark = pytest.mark.long

RECIPE = TOP / "packaging" / "container" / "Containerfile"
SLSHIM = "localhost/slshim:latest"
HTTPD = "localhost/httpd:latest"

# An httpd that has its paths where Docker Hub's has them.
HTTPD_RECIPE = """
FROM {base}
RUN mkdir -p /usr/local/apache2/logs
COPY httpd.conf /usr/local/apache2/conf/httpd.conf
COPY httpd.conf /usr/local/apache2/htdocs/index.html
CMD ["apache2", "-DFOREGROUND", "-f", "/usr/local/apache2/conf/httpd.conf"]
"""
HTTPD_CONF = """
ServerRoot /usr/local/apache2
DefaultRuntimeDir logs
PidFile logs/pid
ErrorLog /dev/stderr
ServerName localhost
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
Listen 127.0.0.1:8080
DocumentRoot htdocs
StartServers 8
MinSpareServers 8
"""
BUILT_IN_RECIPE = f"""
FROM {HTTPD}
COPY --from={SLSHIM} /slshim /slshim
RUN /slshim/pick -c /slshim
ENV LD_PRELOAD=/slshim/libslshim.so
"""
URL = "http://127.0.0.1:8080/"


def write(directory, **files):
    for name, text in files.items():
        (directory / name.replace("_", ".")).write_text(text)


@pytest.fixture(scope="module")
def podman():
    with Podman() as podman:
        yield podman


@pytest.fixture(scope="module")
def images(podman, tmp_path_factory):
    """slshim's, by its recipe, on trees instead of the images that it names; and an httpd."""
    old = podman.import_tree(tree("bullseye"))
    current = podman.import_tree(tree("trixie", "apache2"))
    bases = ["--build-arg", f"OLD={old}", "--build-arg", f"CURRENT={current}"]
    podman.build(SLSHIM, TOP, "-f", RECIPE, *bases)
    context = tmp_path_factory.mktemp("httpd")
    write(context, Containerfile=HTTPD_RECIPE.format(base=current), httpd_conf=HTTPD_CONF)
    podman.build(HTTPD, context)
    return podman


@contextlib.contextmanager
def network_of(pid):
    """This thread, and what it starts, is in the network of a container."""
    setns, network = ctypes.CDLL(None, use_errno=True).setns, 0x40000000
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        assert setns(other.fileno(), network) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert setns(own.fileno(), network) == 0


# -------------------------------------------------------------------------- image


def extract(podman, path, to):
    """A file of the image."""
    name = podman("create", "--network", "none", SLSHIM).strip()
    podman("cp", f"{name}:{path}", to)
    podman("rm", name)
    return to


def test_needs_no_newer_glibc(images, tmp_path):
    library = extract(images, "/slshim/glibc/libslshim.so", tmp_path / "libslshim.so")
    symbols = subprocess.run([tool("objdump"), "-T", library], capture_output=True, text=True, check=True)
    versions = {tuple(map(int, one.split("."))) for one in re.findall(r"GLIBC_([\d.]+)", symbols.stdout)}
    assert max(versions) <= (2, 31)


def test_musl(images, tmp_path):
    """A prefork server that is linked with musl."""
    library = extract(images, "/slshim/musl/libslshim.so", tmp_path / "libslshim.so")
    program = tmp_path / "leaky_prefork"
    source = TOP / "examples" / "leaky_prefork.c"
    subprocess.run([tool("musl-gcc"), "-O2", "-o", program, source], check=True)
    server = LeakyPrefork(shim(SL_MAX_UNSHARED="3M") | {"LD_PRELOAD": str(library)})
    server.command[0] = str(program)
    with server:
        assert str(library) in Path(f"/proc/{server.master.pid}/maps").read_text()
        load_until_left(server, 10)


def test_pick(images, tmp_path):
    """By the C library that the image has, or that is named."""
    run = ["run", "--rm", "--network", "none", SLSHIM, "/slshim/pick"]
    assert images(*run) == "/slshim/glibc/libslshim.so\n"
    assert images(*run, "musl") == "/slshim/musl/libslshim.so\n"


def log_of(podman, name):
    return podman("logs", name, capture_output=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_built_in(images, tmp_path):
    """COPY --from: the image has the library, wherever it runs."""
    write(tmp_path, Containerfile=BUILT_IN_RECIPE)
    images.build("localhost/built-in:latest", tmp_path)
    settings = ["-e", "SL_MAX_CONNECTIONS=100", "--user", "10001", "--read-only", "--network", "none"]
    settings += ["--tmpfs", "/usr/local/apache2/logs"]
    name = images("run", "-d", *settings, "localhost/built-in:latest").strip()
    try:
        with network_of(images.pid(name)):
            wait_until(lambda: accepts(8080), "httpd listens")

            def have_left():
                ab(URL, 1000).expect_good()
                return log_of(images, name).count(" leaves by ") >= 3

            wait_until(have_left, "three workers have left", 60)
    finally:
        images("rm", "-f", "-t", "0", name)


# ---------------------------------------------------------------------------- pod


def as_pod(deployment, memory):
    """What podman 4.3 makes a pod of. It has no sidecars among the init containers, and no
    emptyDir in memory, or that any user may write to, as the kubelet makes them. There is no
    registry, no network but the pod's own and perhaps no controller of memory, and httpd's settings
    are in its image."""
    spec = copy.deepcopy(spec_of(deployment))
    server, *others = spec["containers"]
    assert others == []
    spec["containers"] += [one for one in spec["initContainers"] if one.pop("restartPolicy", None)]
    spec["initContainers"] = [one for one in spec["initContainers"] if one not in spec["containers"]]
    server["image"] = HTTPD
    server["env"].append({"name": "SL_MAX_CONNECTIONS", "value": "100"})
    server["volumeMounts"] = [one for one in server["volumeMounts"] if one["name"] != "configuration"]
    for container in spec["containers"] + spec["initContainers"]:
        container["imagePullPolicy"] = "Never"
        container.pop("ports", None)
        container.pop("resources", None)
        container["image"] = HTTPD if container is server else SLSHIM
    spec["volumes"] = [one for one in spec["volumes"] if one["name"] != "configuration"]
    for volume in spec["volumes"]:
        del volume["emptyDir"]
        place = memory / volume["name"]
        place.mkdir()
        place.chmod(0o777)
        volume["hostPath"] = {"path": str(place), "type": "Directory"}
    spec["restartPolicy"] = "Never"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "httpd"}, "spec": spec}


class Pod:
    def __init__(self, podman, memory):
        self.podman, self.memory = podman, memory
        manifest = memory.with_suffix(".yaml")
        manifest.write_text(yaml.safe_dump(as_pod(kustomize(EXAMPLES / "httpd"), memory)))
        try:
            podman("kube", "play", "--network", "none", manifest)
        finally:
            manifest.unlink()
        self.sidecar = podman.pid("httpd-slshim-metrics")
        self.server = podman.pid("httpd-httpd")
        assert self.server and self.sidecar, self.logs()

    def logs(self):
        return [log_of(self.podman, name) for name in ("httpd-httpd", "httpd-slshim-metrics")]

    def start_server(self):
        self.podman("start", "httpd-httpd")
        self.server = self.podman.pid("httpd-httpd")

    def metrics(self):
        """What a scrape of the sidecar has."""
        with network_of(self.sidecar):
            return get("http://127.0.0.1:9123/metrics")

    def figure(self, name):
        found = re.findall(rf'^{name}{{program="apache2"[^}}]*}} (\d+)$', self.metrics(), re.M)
        assert len(found) <= 1, found
        return int(found[0]) if found else None

    def load_until_left(self, count):
        """Until the sidecar tells so; no request has failed."""

        def have_left():
            ab(URL, 1000).expect_good()
            return self.figure("slshim_workers_left_total") >= count

        wait_until(have_left, f"{count} workers have left", 120)


@pytest.fixture
def pod(images):
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="slshim-test-") as memory:
        os.chmod(memory, 0o755)
        try:
            yield Pod(images, Path(memory))
        finally:
            images("pod", "rm", "-f", "-a", "-t", "0")


def status_of(pid):
    return dict(re.findall(r"^(\w+):\t(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))


def test_pod(pod):
    """Workers are recycled under load, the sidecar in its own pid namespace has them in its metrics,
    and notices that the server is gone, and that there is a new one."""
    for pid in (pod.server, pod.sidecar):
        status = status_of(pid)
        assert set(status["Uid"].split()) == {"10001"}
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        root = next(line.split() for line in Path(f"/proc/{pid}/mounts").open() if line.split()[1] == "/")
        assert root[3].split(",")[0] == "ro"
    assert os.readlink(f"/proc/{pod.server}/ns/pid") != os.readlink(f"/proc/{pod.sidecar}/ns/pid")

    with network_of(pod.server):
        wait_until(lambda: accepts(8080) and accepts(9123), "both listen")
        pod.load_until_left(5)
    workers = psutil.Process(pod.server).children()
    assert len(workers) >= 8

    os.kill(pod.server, signal.SIGKILL)
    wait_until(lambda: not any(worker.is_running() for worker in workers), "all of the server has ended")
    wait_until(lambda: pod.figure("slshim_workers_left_total") is None, "the sidecar has noticed")

    pod.start_server()
    with network_of(pod.server):
        wait_until(lambda: accepts(8080), "httpd listens again")
        pod.load_until_left(1)
    (left,) = (pod.memory / "slshim-status" / "pools").iterdir()
