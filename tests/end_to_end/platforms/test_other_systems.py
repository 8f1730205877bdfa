"""What is written for systems that this machine is not, the probes and the files of src/os/posix: each
compiles for its system, against headers of ours, and its check finds faults that are planted in a copy
of it."""

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


# A system's files, by what they are.
SOURCES = {
    "probe": "src/probe_{}.c",
    "system": "src/os/posix/system_{}.c",
}


def headers(system, *more):
    return [TOP / "tests/stubs" / place for place in (system, "common", *more)]


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("source", ["src/probe_rusage.c", *SOURCES.values()])
def test_compiles(tmp_path, system, source):
    places = [f"-isystem{place}" for place in headers(system, "any")]
    command = [tool("clang"), f"--target={TARGETS[system]}", *WARNINGS, "-ffreestanding", "-nostdlibinc"]
    # To assembly, because there are clangs that cannot write AIX's 64-bit object files: 14 is one.
    command += [*places, f"-I{TOP / 'src'}", "-S", TOP / source.format(system), "-o", tmp_path / "a.s"]
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
# What all of them ask in the same way: the rights, the pipes, the sockets.
ALIKE = {
    "a FIFO with a name": (" && status.st_nlink == 0", ""),
    "a file that is no FIFO": (" && S_ISFIFO(status.st_mode)", ""),
}
KQUEUE = {"a kqueue taken for a pipe": (" &&\n\t       status.st_ctime != 0", "")}
RIGHTS = {"rights": ("return issetugid() != 0;", "return false;")}
PEER = {"an answer of another length about a peer": (" || size != sizeof peer", "")}
# Both of those that read psinfo, a file.
PROCESS_FILE = {
    "a unit of time": (".tv_nsec / NANOSECONDS", ".tv_nsec"),
    "another unit of time": ("NANOSECONDS = 1000", "NANOSECONDS = 100"),
    "a time as 32 bits": (
        "start_time_set(told.pr_start.tv_sec",
        "start_time_set((int32_t)told.pr_start.tv_sec",
    ),
    "a zombie taken for alive, by its threads": ("told.pr_nlwp == 0 || ", ""),
    "a zombie taken for alive, by its state": (" || told.pr_lwp.pr_sname == 'Z'", ""),
    "an answer that is cut off": (">= least", "> 0"),
    "an answer that must be as long as ours": (">= least", ">= sizeof *told"),
}
PLANTED_SYSTEM = {
    "aix": {
        **ALIKE,
        **PEER,
        **PROCESS_FILE,
        "the process for its parent": ("(pid_t)told.pr_ppid", "(pid_t)told.pr_pid"),
        "a process's number as 32 bits": ("told->pr_pid == ", "(uint32_t)told->pr_pid == "),
        "another process": (" && told->pr_pid == (uint64_t)pid", ""),
        "rights of the user": ("getuid() != geteuid() || ", ""),
        "rights of the group": (" || getgid() != getegid()", ""),
        "an unknown peer as 0": ("peer.pid <= 0", "peer.pid < 0"),
        "a zombie without a start": (" ||\n\t       process->is_zombie", ""),
    },
    "freebsd": {
        **ALIKE,
        **KQUEUE,
        **RIGHTS,
        **PEER,
        "a unit of time": ("told.ki_start.tv_usec,", "told.ki_start.tv_usec / 1000,"),
        "a time as 32 bits": (
            "start_time_set(told.ki_start.tv_sec",
            "start_time_set((int32_t)told.ki_start.tv_sec",
        ),
        "a zombie taken for alive": ("told.ki_stat == SZOMB", "false"),
        "another state for a zombie": ("told.ki_stat == SZOMB", "told.ki_stat > SZOMB"),
        "the process for its parent": ("told.ki_ppid", "told.ki_pid"),
        "the field beside it": ("told.ki_start.tv_usec,", "told.ki_start.tv_sec,"),
        "an answer that is cut off": (" && length == sizeof *told", ""),
        "another layout": ("told->ki_structsize == (int)sizeof *told && ", ""),
        "another process": (" && told->ki_pid == pid", ""),
        "unknown threads": (
            "told.ki_numthreads > 0 ? (unsigned)told.ki_numthreads : 0",
            "(unsigned)told.ki_numthreads",
        ),
        "an unknown peer as 0": ("peer.cr_pid <= 0", "peer.cr_pid < 0"),
        "another version of a peer": ("peer.cr_version != XUCRED_VERSION || ", ""),
        "a zombie without a start": (" ||\n\t       process->is_zombie", ""),
    },
    "netbsd": {
        **ALIKE,
        **KQUEUE,
        **RIGHTS,
        **PEER,
        "a unit of time": ("told.p_ustart_usec,", "told.p_ustart_usec / 1000,"),
        "a time with a sign": (
            "start_time_set(told.p_ustart_sec",
            "start_time_set((int32_t)told.p_ustart_sec",
        ),
        "a state as 32 bits": ("is_dead(told.p_realstat)", "is_dead((uint32_t)told.p_realstat)"),
        "a zombie taken for alive": ("status == SZOMB || ", ""),
        "who dies taken for alive": ("status == SDYING || ", ""),
        "a zombie without a start": ("return process->is_zombie ||\n\t       ", "return "),
        "the process for its parent": ("told.p_ppid", "told.p_pid"),
        "the field beside it": ("told.p_ustart_usec,", "told.p_ustart_sec,"),
        "an answer that is cut off": (" && length == sizeof *told", ""),
        "another process": (" &&\n\t       told->p_pid == pid", ""),
        "what an older kernel left out": ("told = {.p_pid = 0}", "told = {.p_ustart_sec = 1}"),
        "threads as 32 bits": ("told.p_nlwps <= MOST_THREADS", "(uint32_t)told.p_nlwps <= MOST_THREADS"),
        "an unknown peer as 0": ("peer.unp_pid <= 0", "peer.unp_pid < 0"),
    },
    "openbsd": {
        **ALIKE,
        **KQUEUE,
        **RIGHTS,
        **PEER,
        "a unit of time": ("told.p_ustart_usec,", "told.p_ustart_usec / 1000,"),
        "a time as 32 bits": ("(int64_t)told.p_ustart_sec", "(int32_t)told.p_ustart_sec"),
        "a zombie taken for alive": ("told.p_stat == SDEAD || ", ""),
        "another state for a zombie": ("told.p_stat == SDEAD", "told.p_stat >= SDEAD"),
        "a zombie without a start": ("return is_zombie ||\n\t       ", "return "),
        "the process for its parent": ("told.p_ppid", "told.p_pid"),
        "an answer that is cut off": (" && length == sizeof *told", ""),
        "another process": (" &&\n\t       told->p_pid == pid", ""),
        "the process as a thread": ("(unsigned)length - 1", "(unsigned)length"),
        "more threads than there is room for": ("MOST = 512", "MOST = 8"),
        "threads that are not asked for": (" | KERN_PROC_SHOW_THREADS", ""),
        "an unknown peer as 0": ("peer.pid <= 0", "peer.pid < 0"),
    },
    "solaris": {
        **ALIKE,
        **RIGHTS,
        **PROCESS_FILE,
        "the process for its parent": ("told.pr_ppid", "told.pr_pid"),
        "another process": (" && told->pr_pid == pid", ""),
        "unknown threads": ("told.pr_nlwp > 0 ? (unsigned)told.pr_nlwp : 0", "(unsigned)told.pr_nlwp"),
        "a zombie without a start": ("return process->is_zombie ||\n\t       ", "return "),
        "a peer": ("(void)pid;\n\treturn false;", "*pid = 1;\n\treturn true;"),
    },
    "darwin": {
        **ALIKE,
        **KQUEUE,
        **RIGHTS,
        **PEER,
        "a unit of time": ("(int64_t)told.pbi_start_tvusec", "(int64_t)told.pbi_start_tvusec / 1000"),
        "a time as 32 bits": ("(int64_t)told.pbi_start_tvsec", "(int32_t)told.pbi_start_tvsec"),
        "a zombie taken for alive": ("told.pbi_status == SZOMB", "false"),
        "a zombie not asked for": ("PROC_PIDTBSDINFO, 1,", "PROC_PIDTBSDINFO, 0,"),
        "the process for its parent": ("(pid_t)told.pbi_ppid", "(pid_t)told.pbi_pid"),
        "an answer that is cut off": ("&told, length) != length", "&told, length) <= 0"),
        "another process": (" ||\n\t    told.pbi_pid != (uint32_t)pid", ""),
        "threads that are cut off": ("&task, length) == length", "&task, length) > 0"),
        "unknown threads": (" && task.pti_threadnum > 0", ""),
        "an unknown peer as 0": ("peer <= 0", "peer < 0"),
    },
}
FAULTS = {"probe": PLANTED, "system": PLANTED_SYSTEM}
EACH_SOURCE = [(kind, system) for kind in FAULTS for system in FAULTS[kind]]
EACH = [(kind, system, fault) for kind, system in EACH_SOURCE for fault in FAULTS[kind][system]]


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Runs a system's check, which is compiled once, with a source: what it says, and its status."""
    place = tmp_path_factory.mktemp("checks")
    found = subprocess.check_output(["pkg-config", "--cflags", "--libs", "check"], text=True).split()

    def compile_(kind, system, source, target):
        places = headers(system) if kind == "system" else [TOP / "tests/stubs" / system]
        command = [tool("gcc"), "-std=gnu11", "-D_GNU_SOURCE", *[f"-I{each}" for each in places]]
        command += [f"-I{TOP / 'src'}", f"-I{TOP / 'tests'}", "-c", source, "-o", target, *found]
        subprocess.run(command, check=True)

    def run(kind, system, source):
        mine, other = place / f"{kind}_{system}.o", place / "source.o"
        if not mine.exists():
            compile_(kind, system, TOP / f"tests/check_{kind}_{system}.c", mine)
        compile_(kind, system, source, other)
        subprocess.run([tool("gcc"), mine, other, "-o", place / "check", *found], check=True)
        done = subprocess.run([place / "check"], capture_output=True, text=True)
        return done.stdout, done.returncode

    return run


@pytest.mark.parametrize("kind,system", EACH_SOURCE)
def test_is_sound_without_a_fault(check, kind, system):
    said, status = check(kind, system, TOP / SOURCES[kind].format(system))
    assert status == 0 and re.match(r"[^%]*100%", said)


@pytest.mark.long
@pytest.mark.parametrize("kind,system,fault", EACH, ids=["-".join(each) for each in EACH])
def test_finds(tmp_path, check, kind, system, fault):
    """By a check that fails, not by one that crashes or does not compile."""
    right = TOP / SOURCES[kind].format(system)
    source = tmp_path / right.name
    shutil.copy(right, source)
    old, new = FAULTS[kind][system][fault]
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    said, status = check(kind, system, source)
    print(said)
    assert status == 1 and ":F:" in said
