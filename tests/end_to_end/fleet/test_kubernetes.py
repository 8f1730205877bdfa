"""examples/kubernetes: kustomize takes it, it is what Kubernetes' types say, and it is as restricted
as Kubernetes' strictest standard for pods wants."""

import subprocess

import pytest
import yaml

import published
from servers import TOP, Missing, tool

pytestmark = pytest.mark.alone

EXAMPLES = TOP / "examples" / "kubernetes"
OVERLAYS = {"httpd": "/slshim/libslshim.so", "gunicorn": "/slshim/slshim/glibc/libslshim.so"}


def kustomize(folder):
    done = subprocess.run([tool("kubectl"), "kustomize", folder], capture_output=True, text=True, timeout=60)
    if "invalid Kustomization" in done.stderr or "unknown field" in done.stderr:
        raise Missing(f"kubectl's kustomize is older than 3.7, which has components: {done.stderr}")
    assert done.returncode == 0, done.stderr
    (deployment,) = yaml.safe_load_all(done.stdout)
    return deployment


def spec_of(deployment):
    return deployment["spec"]["template"]["spec"]


@pytest.fixture(params=OVERLAYS)
def overlay(request):
    return request.param, kustomize(EXAMPLES / request.param)


def test_is_what_kubernetes_takes():
    """And a wrong word would be found."""
    wrong = kustomize(EXAMPLES / "httpd")
    spec_of(wrong)["containers"][0]["securityContxt"] = {}
    spec_of(wrong)["volumes"][0]["emptyDir"]["medium"] = 7
    deployments = [kustomize(EXAMPLES / name) for name in OVERLAYS]
    kind = ("kubernetes-models/apps/v1/Deployment.d.ts", "IDeployment")
    *faults, found = published.faults(*[(*kind, one) for one in [*deployments, wrong]])
    assert faults == [[], []]
    assert len(found) == 2


def test_the_server_has_the_library(overlay):
    name, deployment = overlay
    server = spec_of(deployment)["containers"][0]
    variables = {one["name"]: one["value"] for one in server["env"]}
    mounts = {one["mountPath"]: one["name"] for one in server["volumeMounts"]}
    assert server["name"] == name
    assert variables.keys() == {"LD_PRELOAD", "SL_MAX_UNSHARED", "SL_STATUS"}
    assert variables["LD_PRELOAD"] == OVERLAYS[name]
    assert mounts["/slshim"] == "slshim-library"
    assert mounts["/run/slshim"] == "slshim-status"


def test_nothing_is_allowed_that_need_not_be(overlay):
    """As the standard "restricted" wants it, and with root's file system read-only."""
    _, deployment = overlay
    spec = spec_of(deployment)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC", "hostNetwork", "shareProcessNamespace"} & spec.keys()
    for container in spec["containers"] + spec["initContainers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_one_image_is_named_in_one_place(overlay):
    _, deployment = overlay
    spec = spec_of(deployment)
    images = {one["image"] for one in spec["initContainers"]}
    images |= {one["image"]["reference"] for one in spec["volumes"] if "image" in one}
    assert images == {"registry.example/slshim:0.1.0"}
