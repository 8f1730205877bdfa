"""The probes of systems that this machine is not: each compiles for its system, against headers of
ours, and its check finds faults that are planted in a copy of it."""

import re
import shutil
import subprocess

import pytest

from servers import TOP, tool

WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wno-sign-conversion"]
# What clang calls them. AIX's machines are big-endian.
TARGETS = {
    "aix": "powerpc64-ibm-aix7.2",
    "darwin": "arm64-apple-macos11",
    "freebsd": "x86_64-unknown-freebsd14.0",
    "netbsd": "x86_64-unknown-netbsd10.0",
    "openbsd": "x86_64-unknown-openbsd7.8",
    "solaris": "x86_64-pc-solaris2.11",
}


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("probe", ["system", "rusage"])
def test_compiles(tmp_path, system, probe):
    source = TOP / f"src/probe_{system if probe == 'system' else probe}.c"
    headers = [f"-isystem{TOP / 'tests/stubs' / place}" for place in (system, "any")]
    command = [tool("clang"), f"--target={TARGETS[system]}", *WARNINGS, "-ffreestanding", "-nostdlibinc"]
    # To assembly, because there are clangs that cannot write AIX's 64-bit object files: 14 is one.
    command += [*headers, f"-I{TOP / 'src'}", "-S", source, "-o", tmp_path / "probe.s"]
    subprocess.run(command, check=True)


# Both of the probes that read psinfo, a file.
PSINFO = {
    "a unit": ("KILOBYTE = 1024", "KILOBYTE = 1000"),
    "a field as 32 bits": (
        "__builtin_mul_overflow(process.pr_rssize,",
        "__builtin_mul_overflow((uint32_t)process.pr_rssize,",
    ),
    "the field beside it": ("QUANTITY_SIZE, size)", "QUANTITY_SIZE, resident)"),
    "a product that is too great": (
        "__builtin_mul_overflow(process.pr_size, KILOBYTE, &size)",
        "(size = process.pr_size * KILOBYTE, false)",
    ),
    "an answer that is cut off": ("length >= least && ", ""),
    "an answer that must be as long as ours": ("length >= least", "length == sizeof *process"),
    "a file that is read on": (
        "pread(fd, process, sizeof *process, 0)",
        "read(fd, process, sizeof *process)",
    ),
    "another process": (" && process->pr_pid == ", " && 0 != "),
    "an error number": ("errno = saved;", ""),
    "unknown as 0": (" || process.pr_rssize == 0", ""),
    "shared as unshared": (
        "(void)sample;",
        "psinfo_t process; if (read_process(unused, &process)) {"
        " sample_set(sample, QUANTITY_UNSHARED, process.pr_rssize * 1024); return true; }",
    ),
    "unknown sharing as 0": (
        "(void)sample;",
        "sample_set(sample, QUANTITY_UNSHARED, 0); return true;",
    ),
}
# What is wrong, and with which words in the place of which.
PLANTED = {
    "aix": {
        **PSINFO,
        "a process's number as 32 bits": ("process->pr_pid == ", "(uint32_t)process->pr_pid == "),
    },
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
    "netbsd": {
        "a page size": ("return (uint64_t)sysconf(_SC_PAGESIZE);", "return 8192;"),
        "a unit": ("QUANTITY_SIZE, size)", "QUANTITY_SIZE, (uint64_t)process.p_vm_msize)"),
        "a field as 32 bits": ("(uint64_t)process.p_vm_msize,", "(uint32_t)process.p_vm_msize,"),
        "a product as 32 bits": (
            "(uint64_t)process.p_vm_rssize * page_size()",
            "(uint32_t)process.p_vm_rssize * (uint32_t)page_size()",
        ),
        "fields that the kernel does not have": (
            "struct kinfo_proc2 process = {.p_pid = 0};",
            "struct kinfo_proc2 process = {.p_vm_msize = 1};",
        ),
        "another layout": (" && process->p_pid == name[3]", ""),
        "an answer that is cut": (" && length == sizeof *process", ""),
        "an unknown size as 0": ("process.p_vm_msize <= 0", "process.p_vm_msize < 0"),
        "unknown resident memory as 0": ("process.p_vm_rssize <= 0", "process.p_vm_rssize < 0"),
        "sharing as 0": (
            "(void)sample;\n\treturn false;",
            "sample_set(sample, QUANTITY_SHARED, 0);\n\treturn true;",
        ),
        "errno": ("errno = saved;", "errno = saved + 1;"),
    },
    "openbsd": {
        "a page size": ("return (uint64_t)sysconf(_SC_PAGESIZE);", "return 8192;"),
        "a unit": ("QUANTITY_SIZE, pages * page_size())", "QUANTITY_SIZE, pages * 1024)"),
        "a sum as 32 bits": ("uint64_t pages;", "uint32_t pages;"),
        "a product as 32 bits": (
            "(uint64_t)process.p_vm_rssize * page_size()",
            "(uint32_t)process.p_vm_rssize * (uint32_t)page_size()",
        ),
        "a sum without the stack": ("pages += (uint64_t)process.p_vm_ssize;", ""),
        "a negative number": ("process.p_vm_tsize < 0 || ", ""),
        "another layout": (" && process->p_pid == name[3]", ""),
        "an answer that is cut": (" && length == sizeof *process", ""),
        "an unknown size as 0": ("if (pages == 0)", "if (false)"),
        "unknown resident memory as 0": ("process.p_vm_rssize <= 0", "process.p_vm_rssize < 0"),
        "sharing as 0": (
            "(void)sample;\n\treturn false;",
            "sample_set(sample, QUANTITY_SHARED, 0);\n\treturn true;",
        ),
        "sharing asked for": (
            "(void)sample;\n\treturn false;",
            "struct kinfo_proc process;\n\t(void)sample;\n\task_about_process(&process);\n"
            "\treturn false;",
        ),
        "errno": ("errno = saved;", "errno = saved + 1;"),
    },
    "solaris": PSINFO,
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


@pytest.mark.long
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
