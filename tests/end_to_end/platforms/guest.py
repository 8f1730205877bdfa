"""Another kernel: qemu emulates a machine that boots it, with a release's tree unpacked in memory as its
root, runs one command there, and turns it off. Nothing here knows slshim."""

import re
import shlex
import subprocess
import textwrap
from dataclasses import dataclass

from debian import unpacked
from servers import tool

BASE = ["bash", "busybox-static", "coreutils", "dash"]
INIT = """\
#!/bin/busybox sh
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
busybox mkdir -p /dev/shm
busybox mount -t tmpfs shm /dev/shm
busybox ln -sf /proc/self/fd /dev/fd
busybox ifconfig lo 127.0.0.1 up
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
/command
echo "guest: ended with status $?"
busybox poweroff -f
"""
USERS = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n"
USERS += "nobody:x:65534:65534:nobody:/:/bin/false\n"
GROUPS = "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n"


@dataclass(frozen=True)
class Machine:
    """A kernel of Debian's, by its package, and what qemu needs to boot it."""

    release: str
    architecture: str
    package: str
    emulator: tuple
    console: str

    def kernel(self):
        tree = unpacked(self.release, self.architecture, self.package)
        return max(tree.glob("boot/vmlinu[xz]-*"))


def archive(directory, add_to):
    """The directory as the kernel unpacks it, in the newc format of cpio."""
    names = subprocess.check_output(["find", ".", "-print0"], cwd=directory)
    command = [tool("cpio"), "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"]
    subprocess.run(command, input=names, stdout=add_to, cwd=directory, check=True)


def run(machine, tree, place, added, command, timeout=1800):
    """Boots it, with the files of the directory `added` beside those of the tree; what the command
    said, and its status. `place` is a directory for what that takes."""
    for name in ("proc", "sys", "dev", "tmp", "root", "run", "etc"):
        (added / name).mkdir(exist_ok=True)
    for name, text in {
        "init": INIT,
        "command": f"#!/bin/sh\n{command}\n",
        "etc/passwd": USERS,
        "etc/group": GROUPS,
    }.items():
        (added / name).write_text(textwrap.dedent(text))
        (added / name).chmod(0o755)
    image = place / "initrd"
    with open(image, "wb") as into:
        archive(tree, into)
        archive(added, into)
    arguments = [*machine.emulator, "-m", "3G", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none"]
    arguments += ["-kernel", machine.kernel(), "-initrd", image]
    arguments += ["-append", f"console={machine.console} rdinit=/init quiet panic=-1"]
    print("+", shlex.join(map(str, arguments)))
    done = subprocess.run(
        [tool(arguments[0]), *arguments[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
    )
    said = done.stdout.decode(errors="replace").replace("\r", "")
    status = re.search(r"guest: ended with status (\d+)", said)
    assert status, f"the guest did not come to its end:\n{said[-3000:]}"
    return said, int(status[1])
