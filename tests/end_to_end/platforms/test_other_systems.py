"""The probes of systems that this machine is not: each compiles for its system, against headers of
ours, and its check finds faults that are planted in a copy of it."""

import re
import shutil
import subprocess

import pytest

from servers import TOP, tool

WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wno-sign-conversion"]
# What clang calls them. AIX has no clang of Debian's that knows it without its headers' help.
TARGETS = {"freebsd": "x86_64-unknown-freebsd14.0", "darwin": "arm64-apple-macos11"}


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("probe", ["system", "rusage"])
def test_compiles(tmp_path, system, probe):
    source = TOP / f"src/probe_{system if probe == 'system' else probe}.c"
    headers = [f"-isystem{TOP / 'tests/stubs' / place}" for place in (system, "any")]
    command = [tool("clang"), f"--target={TARGETS[system]}", *WARNINGS, "-ffreestanding", "-nostdlibinc"]
    command += [*headers, f"-I{TOP / 'src'}", "-c", source, "-o", tmp_path / "probe.o"]
    subprocess.run(command, check=True)


# What is wrong, and with which words in the place of which.
PLANTED = {
    "freebsd": {
        "a page size": ("return (uint64_t)sysconf(_SC_PAGESIZE);", "return 8192;"),
        "a unit": ("QUANTITY_SIZE, process.ki_size)", "QUANTITY_SIZE, process.ki_size * 1024)"),
        "a field as 32 bits": ("(uint64_t)process.ki_rssize,", "(uint32_t)process.ki_rssize,"),
        "a record that is taken as whole": (
            "at += (size_t)entry->kve_structsize;",
            "at += sizeof *entry;",
        ),
        "a shadow chain that is counted": (
            "return entry->kve_ref_count == 1 && entry->kve_private_resident > 0;",
            "*pages = (uint64_t)entry->kve_resident; return true;",
        ),
        "another layout": ("&& process->ki_structsize == (int)sizeof *process", ""),
        "unknown as 0": ("return is_any_resident;", "return true;"),
    },
    "darwin": {
        "a page size": ("QUANTITY_UNSHARED, pages * vm_page_size)", "QUANTITY_UNSHARED, pages * 4096)"),
        "pages of two sizes": ("vm_page_size == vm_kernel_page_size && ", ""),
        "a unit": ("QUANTITY_RESIDENT, task", "QUANTITY_RESIDENT, vm_page_size * task"),
        "a field as 32 bits": ("QUANTITY_RESIDENT, task", "QUANTITY_RESIDENT, (uint32_t)task"),
        "a mapping's size as 32 bits": (
            "(region.pri_address, region.pri_size, &address)",
            "(region.pri_address, (uint32_t)region.pri_size, &address)",
        ),
        "a shorter answer": ("is_told && count == TASK_VM_INFO_REV0_COUNT", "is_told"),
        "a mapping that comes again": ("region.pri_address < address || ", ""),
        "a shadow chain that is counted": (
            ": region->pri_pages_shared_now_private);",
            ": region->pri_pages_resident);",
        ),
        "shared as unshared": ("*pages = 0;", "*pages = region->pri_pages_resident;"),
        "a file's pages": ("if (region->pri_ref_count == 1)", "if (region->pri_ref_count != 0)"),
        "reusable pages": ("pages < others ? pages : others", "pages"),
        "pages that are mapped twice": ("return region->pri_pages_resident == 0;", "return true;"),
        "a refusal as the end": ("errno == EINVAL && is_any_resident", "is_any_resident"),
        "unknown as 0": ("errno == EINVAL && is_any_resident", "errno == EINVAL"),
    },
}
EACH = [(system, fault) for system, faults in PLANTED.items() for fault in faults]


def check_of(system, directory, source):
    """Compiles a system's check with this source, and runs it; what it says, and its status."""
    program = directory / "check"
    found = subprocess.check_output(["pkg-config", "--cflags", "--libs", "check"], text=True).split()
    command = [tool("gcc"), "-std=gnu11", "-D_GNU_SOURCE", f"-I{TOP / 'tests/stubs' / system}"]
    command += [f"-I{TOP / 'src'}", f"-I{TOP / 'tests'}", TOP / f"tests/check_probe_{system}.c", source]
    subprocess.run([*command, "-o", program, *found], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    return done.stdout, done.returncode


@pytest.mark.parametrize("system", PLANTED)
def test_is_sound_without_a_fault(tmp_path, system):
    said, status = check_of(system, tmp_path, TOP / f"src/probe_{system}.c")
    assert status == 0 and re.match(r"[^%]*100%", said)


@pytest.mark.parametrize("system,fault", EACH, ids=[f"{system}-{fault}" for system, fault in EACH])
def test_finds(tmp_path, system, fault):
    """By a check that fails, not by one that crashes or does not compile."""
    source = tmp_path / f"probe_{system}.c"
    shutil.copy(TOP / f"src/probe_{system}.c", source)
    old, new = PLANTED[system][fault]
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    said, status = check_of(system, tmp_path, source)
    print(said)
    assert status == 1 and ":F:" in said
