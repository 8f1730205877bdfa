"""Whatever system call of the library's fails, and however: no connection fails, nobody crashes, hangs
or spins, and the master goes on and stops cleanly.

strace makes them fail from the library's constructor on, in the master and in every worker. The
server is hand_written, whose own calls are others: accept4, epoll_wait, recvfrom, sendto, shutdown,
bind, listen, clone, wait4. Which calls the library makes is recorded here, function by function, and
compared with what it imports."""

import contextlib
import platform
import re
import resource
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import psutil
import pytest

from servers import (
    BUILD, LIBRARY, PATIENCE, TOP, Server, accepts, exchange, free_port, tool, wait_until
)  # fmt: skip

# ------------------------------------------------------------- the library's calls

# Functions of the C library, with the system calls that they make here; a fork and an exit by
# themselves are the server's. Add a row for a new one, and its calls below.
FUNCTIONS = {
    "access": ["access"],
    "clock_gettime": [],  # in the vDSO, without a system call
    "close": ["close"],
    "connect": ["connect"],
    "dup3": ["dup3"],
    "fchmod": ["fchmod"],
    "fcntl": ["fcntl"],
    "fstat": ["newfstatat"],
    "fstatat": ["newfstatat"],
    "fstatfs": ["fstatfs"],
    "ftruncate": ["ftruncate"],
    "getitimer": ["getitimer"],
    "getpeername": ["getpeername"],
    "getrandom": ["getrandom"],
    "getrlimit": ["prlimit64"],
    "getrusage": ["getrusage"],
    "getsockname": ["getsockname"],
    "getsockopt": ["getsockopt"],
    "ioctl": ["ioctl"],
    "kill": ["kill"],
    "linkat": ["linkat"],
    "lseek": ["lseek"],
    "madvise": ["madvise"],
    "memfd_create": ["memfd_create"],
    "mmap": ["mmap"],
    "munmap": ["munmap"],
    "open": ["openat"],
    "openat": ["openat"],
    "poll": ["poll"],
    "posix_fallocate": ["fallocate"],
    "prctl": ["prctl"],
    "pread": ["pread64"],
    "pwritev2": ["pwritev2"],
    "readlink": ["readlink"],
    "sendmsg": ["sendmsg"],
    "sendto": ["sendto"],
    "sigaction": ["rt_sigaction"],
    "sigaltstack": ["sigaltstack"],
    "sigprocmask": ["rt_sigprocmask"],
    "sigtimedwait": ["rt_sigtimedwait"],
    "socket": ["socket"],
    "stat": ["newfstatat"],
    "timerfd_gettime": ["timerfd_gettime"],
    "uname": ["uname"],
    "unlinkat": ["unlinkat"],
    "waitid": ["waitid"],
    "write": ["write"],
    # These look up a symbol, or write what the server left in its buffers.
    **dict.fromkeys(["dlopen", "dlsym", "exit", "fflush"], []),
    # These cannot fail.
    **dict.fromkeys(["_exit", "alarm", "geteuid", "getpid", "getppid", "sched_yield"], []),
    "syscall": [],  # see RAW_CALLS
    "sysconf": [],  # the size of a page; the number of processors, by openat, read and close
    # These make none.
    **dict.fromkeys(
        """__cxa_finalize __environ __errno_location __libc_current_sigrtmax __progname
        __register_atfork _exit environ fileno fnmatch getauxval inet_ntop inet_pton memchr memcmp
        memcpy memmove memset program_invocation_short_name pthread_self pthread_setcancelstate
        closedir readdir strcat sigaddset sigdelset
        sigemptyset sigfillset sigismember strchr strcmp strcpy strcspn strlen strncmp strncpy strnlen
        strpbrk strrchr strspn strstr _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable
        __gmon_start__ __stack_chk_fail""".split(),
        [],
    ),
}

# What it calls by syscall().
RAW_CALLS = {
    "SYS_connect": "connect",
    "SYS_kcmp": "kcmp",
    "SYS_openat": "openat",
    "SYS_pidfd_open": "pidfd_open",
    "SYS_ppoll": "ppoll",
    "SYS_rt_sigpending": "rt_sigpending",
    "SYS_rt_sigtimedwait": "rt_sigtimedwait",
    "SYS_sendmsg": "sendmsg",
    "SYS_socket": "socket",
    "SYS_timer_gettime": "timer_gettime",
    "SYS_writev": "writev",
    "SYS_clock_gettime64": None,  # of 32-bit machines, as these
    "SYS_ppoll_time64": None,
    "SYS_rt_sigtimedwait_time64": None,
    # What another thread may be asleep in; the library does not make them.
    **dict.fromkeys(
        """SYS_ACCEPT SYS_ACCEPT4 SYS__newselect SYS_accept SYS_accept4 SYS_epoll_pwait SYS_epoll_wait
        SYS_futex SYS_futex_time64 SYS_pause SYS_poll SYS_pselect6 SYS_pselect6_time64
        SYS_rt_sigsuspend SYS_select SYS_socketcall""".split()
    ),
    "SYS_close": "close",
    "SYS_clock_gettime": "clock_gettime",
    "SYS_epoll_pwait2": None,  # in place of the function where the C library is older than it
    "SYS_getdents64": "getdents64",
    "SYS_gettid": None,  # cannot fail
    "SYS_pwritev2": "pwritev2",
    "SYS_rt_sigprocmask": "rt_sigprocmask",
}

FEW = {"SL_MAX_CONNECTIONS": 5}
CONDITIONS = {
    "limits": FEW
    | {
        **{"SL_MAX_UNSHARED": "1G", "SL_MAX_SWAP": "1G", "SL_MAX_FDS": 1000, "SL_MAX_RSS": "1G"},
        **{"SL_MAX_CPU": "1h", "SL_MAX_AGE": "1h", "SL_JITTER": 20, "SL_TRIM": 1, "SL_THP": "never"},
        **{"SL_KSM": 1, "SL_LOG": "@directory@/log", "SL_MIN_SHARED": 1, "SL_LISTEN": "@port@"},
    },
    # Over from birth, or right after it; measured at every connection.
    "walks": FEW
    | {"SL_MAX_UNSHARED": 100, "SL_MAX_GROWTH": 1, "SL_TRIM": 1},
    "pressure": FEW | {"SL_PRESSURE": "1%"},
    "syslog": FEW | {"SL_LOG": "syslog"},
    "a signal": FEW | {"SL_LEAVE": "QUIT@idle"},
    "exit": FEW | {"SL_LEAVE": "exit@idle"},
    "a close": FEW | {"SL_LEAVE": "_exit@close"},
    "a dry run": FEW | {"SL_DRY_RUN": 1},
    "a token": FEW | {},
    "a share": {"SL_MAX_UNSHARED": "1%", "SL_MAX_CONNECTIONS": 5, "SL_STRICT": 1},
}
WAITS = ["accept", "epoll_wait"]


@dataclass
class Call:
    """A system call: how it can fail, and where it is made."""

    errors: str
    conditions: tuple = ("limits", "walks")
    late: bool = False  # the server makes it, too, before it listens
    unreached: str = ""  # why no worker of this server makes it


CALLS = {
    "access": Call("EACCES ENOENT", ("a token",)),
    "fchmod": Call("", unreached="only in workers that are started by execve"),
    "ioctl": Call("", unreached="only with a TCP connection of the worker's own"),
    "linkat": Call("", unreached="only in workers that are started by execve"),
    "ppoll": Call("", unreached="only where a pipe or a terminal takes no write that would not wait"),
    "rt_sigpending": Call("EINVAL EFAULT"),
    "timer_gettime": Call("", unreached="only with timers of timer_create()"),
    "unlinkat": Call("", unreached="only in workers that are started by execve"),
    "writev": Call("EIO ENOSPC EAGAIN EPIPE EFBIG EINTR"),
    "clock_gettime": Call("EINVAL"),
    "close": Call("EIO EINTR ENOSPC"),
    "connect": Call("ECONNREFUSED EAGAIN EACCES EINTR", ("syslog",)),
    "dup3": Call("", unreached="only in httpd's threaded workers"),
    "fallocate": Call("", unreached="only with a page that is a file"),
    "fstatfs": Call("", unreached="only with a pipe of the worker's own"),
    "fcntl": Call("EMFILE EINVAL EBADF", ("limits", "a token")),
    "ftruncate": Call("ENOMEM EPERM EINTR"),
    "getdents64": Call("", unreached="before Linux 6.2"),
    "getitimer": Call("EINVAL", ("a token",)),
    "getpeername": Call("ENOBUFS ENOTSOCK", ("limits", "walks", "a close")),
    "getrandom": Call("EAGAIN ENOSYS EINTR", ("limits",)),
    "getrusage": Call("EPERM EINVAL"),
    "getsockname": Call("ENOBUFS EBADF", ("limits", "a token")),
    "getsockopt": Call("ENOPROTOOPT ENOBUFS"),
    "kcmp": Call("", unreached="only where /proc is not seen"),
    "kill": Call("EPERM ESRCH", ("a signal",)),
    "lseek": Call("", unreached="before Linux 6.2"),
    "madvise": Call("EINVAL ENOMEM", ("walks",)),
    "memfd_create": Call("ENOMEM EMFILE EPERM EACCES EINVAL ENOSYS"),
    "mmap": Call("ENOMEM EPERM EAGAIN"),
    "munmap": Call("EINVAL ENOMEM"),
    "newfstatat": Call("EBADF EIO EACCES ENOMEM", ("limits", "walks", "a token", "a close", "a dry run")),
    "openat": Call("EMFILE ENFILE EACCES ENOENT EINTR ENOMEM", ("limits", "walks", "pressure")),
    "pidfd_open": Call("", unreached="only of a process that is not seen in /proc"),
    "poll": Call("EINTR EINVAL ENOMEM", ("limits", "walks", "a close")),
    "prctl": Call("EINVAL EPERM", ("limits",)),
    "pread64": Call("EIO EINTR ESRCH EAGAIN", ("limits", "walks", "pressure")),
    "prlimit64": Call("", unreached="only without /proc; then a million descriptors are looked at"),
    "pwritev2": Call("", unreached="only where standard error is a pipe"),
    "readlink": Call("EACCES ENOENT EINVAL", ("a token",)),
    "rt_sigaction": Call("EINVAL", ("a signal", "exit"), late=True),
    "rt_sigprocmask": Call("EINVAL", ("a signal", "exit", "limits"), late=True),
    "rt_sigtimedwait": Call("", unreached="only after a write that raised a signal"),
    "sendmsg": Call("", unreached="only where there is a system log, or standard error is a socket"),
    "sigaltstack": Call("EPERM ENOMEM"),
    "socket": Call("EMFILE ENFILE ENOBUFS EACCES EAFNOSUPPORT", ("syslog",), late=True),
    "timerfd_gettime": Call("EBADF EINVAL", ("a token",)),
    "uname": Call("EFAULT"),
    "waitid": Call("ECHILD EINTR EINVAL"),
    "write": Call("", unreached="only in httpd's threaded workers"),
}

# Every one of them; every other one, so that what follows a failure succeeds; and so on.
OCCURRENCES = ["1+", "1+2", "2+2", "3+3"]


def imported():
    listed = subprocess.run(
        [tool("nm"), "-D", "--undefined-only", str(LIBRARY)], capture_output=True, text=True, check=True
    )
    return {line.split()[-1].split("@")[0] for line in listed.stdout.splitlines()}


def called_raw():
    text = "".join(path.read_text() for path in (TOP / "src").rglob("*.[ch]"))
    return set(re.findall(r"\bSYS_\w+", text))


def made_by_fork():
    """From 2.41 on, glibc's fork() blocks all signals for a while: the failure would be that they
    stay blocked in a server that forks."""
    name, version = platform.libc_ver()
    is_new = name == "glibc" and [int(part) for part in version.split(".")] >= [2, 41]
    return {"rt_sigprocmask"} if is_new else set()


def used_calls():
    calls = {call for function in imported() for call in FUNCTIONS.get(function, [])}
    calls |= {RAW_CALLS.get(name) for name in called_raw()} - {None}
    return sorted(call for call in calls - made_by_fork() if not CALLS[call].unreached)


has_this_libc = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc",
    reason="which calls a function makes is recorded for glibc on x86_64",
)


@has_this_libc
def test_every_call_is_recorded():
    """A function or a call that is new in the library belongs into the tables above."""
    assert imported() - set(FUNCTIONS) == set()
    assert called_raw() - set(RAW_CALLS) == set()
    named = {call for calls in FUNCTIONS.values() for call in calls}
    named |= {call for call in RAW_CALLS.values() if call}
    assert named - set(CALLS) <= {"sendto"}  # which is the server's
    manual = (TOP / "man" / "slshim.7").read_text()
    assert [call for call in CALLS if not re.search(rf"\b{call}\b", manual)] == []  # for filters


# ------------------------------------------------------------------------- server


def limit_descriptors():
    """To the usual number: where /proc tells nothing, the library looks at that many."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


class Tampered(Server):
    """hand_written under a strace that makes calls fail."""

    def __init__(self, condition, wait, injection, late):
        super().__init__()
        self.port = free_port()
        self.injection, self.late = injection, late
        environment = {"SL_REPLACE_TIMEOUT": "1s", "SL_MAX_LEAVING": 4} | CONDITIONS[condition]
        for name, value in environment.items():
            value = str(value).replace("@directory@", str(self.directory))
            self.environment[name] = value.replace("@port@", str(self.port))
        stopper = "" if late else f":{BUILD}/tests/.libs/stop_at_start.so"
        self.environment["LD_PRELOAD"] = f"{LIBRARY}{stopper}"
        lock = ["-l", "eventfd"] if condition == "a token" else []
        self.command = [str(BUILD / "tests/hand_written/hand_written"), "-p", str(self.port)]
        self.command += ["-a", wait, *lock]

    def trace(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.directory / "trace").read_text(errors="replace")
        return ""

    def log(self):
        files = [self.directory / name for name in ("log", "output")]
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def is_listening(self):
        return accepts(self.port)

    def attach(self, pids):
        command = [tool("strace"), "-f", "-o", str(self.directory / "trace")]
        command += ["-e", f"trace={self.injection.split(':')[0]}", "-e", f"inject={self.injection}"]
        command += ["-e", "signal=none", "-e", "quiet=attach,personality"]
        command += [word for pid in pids for word in ("-p", str(pid))]
        self.tracer = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(lambda: all(map(self.is_traced, pids)), f"strace is there, see {self.directory}")

    def is_traced(self, pid):
        status = Path(f"/proc/{pid}/status").read_text()
        return re.search(r"^TracerPid:\t[1-9]", status, re.MULTILINE) is not None

    def start(self):
        self.tracer = None
        with open(self.directory / "output", "w") as output:
            self.spawn(self.command, stdout=output, stderr=output, preexec_fn=limit_descriptors)
        self.master = psutil.Process(self.process.pid)
        if not self.late:
            wait_until(lambda: self.master.status() == psutil.STATUS_STOPPED, "it stopped")
            self.attach([self.master.pid])
            self.master.send_signal(signal.SIGCONT)
        wait_until(self.is_listening, f"it listens, see {self.directory}")
        self.wait_until_settled(8)
        if self.late:
            self.attach([self.master.pid, *(worker.pid for worker in self.workers())])

    def __exit__(self, *_):
        super().__exit__()
        if self.tracer:
            self.tracer.wait(30)  # it ends with the last that it traces


def serves_one(port):
    """One connection, as it has to be; else what is wrong with it."""
    try:
        reply = exchange(port, b"GET / HTTP/1.0\r\n\r\n", seconds=10)
        return "" if reply.endswith(b"\r\n\r\nok\n") else f"reply {reply!r}"
    except OSError as error:
        return repr(error)


def load(port, connections, clients=4):
    """What is wrong with the connections; no more of them once something is."""
    problems = []

    def serve(_):
        wrong = serves_one(port) if not problems else ""
        if wrong:
            problems.append(wrong)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(serve, range(connections)))
    return problems


def rests(server):
    """Do all of its processes sleep, without having used the processor meanwhile?"""
    with contextlib.suppress(psutil.Error):
        processes = [server.master, *server.workers()]
        before = [process.cpu_times()[:2] for process in processes]
        time.sleep(0.05)
        after = [process.cpu_times()[:2] for process in processes]
        return before == after and all(one.status() == psutil.STATUS_SLEEPING for one in processes)
    return False


@dataclass
class Run:
    condition: str
    wait: str
    injection: str
    late: bool
    problems: list = field(default_factory=list)
    injected: int = 0
    left: int = 0
    log: str = ""

    def __str__(self):
        return f"{self.condition}, {self.wait}, {self.injection}"

    def carry_out(self, has_done_enough=lambda server: True):
        try:
            with Tampered(self.condition, self.wait, self.injection, self.late) as server:
                self._use(server, has_done_enough)
        except AssertionError as error:
            self.problems.append(str(error))
        return self

    def _load(self, server, has_done_enough):
        """A worker may have to wait a second for its turn."""
        end = time.monotonic() + PATIENCE
        wrong = load(server.port, 80)
        while not wrong and not has_done_enough(server) and time.monotonic() < end:
            wrong = load(server.port, 400)
        if wrong:
            self.problems.append(f"{len(wrong)} connections failed: {wrong[:3]}")

    def _use(self, server, has_done_enough):
        self._load(server, has_done_enough)
        wait_until(lambda: rests(server), f"it rests, see {server.directory}")
        if not server.is_running():
            self.problems.append("the master ended")
        elif serves_one(server.port):
            self.problems.append("it serves no more")
        deaths = self._deaths(server.trace())
        status = server.stop()
        if status != 0:
            self.problems.append(f"the master ended with {status}")
        if deaths:
            self.problems.append(f"ended otherwise than by 0: {deaths[:3]}")
        self.injected = server.trace().count("(INJECTED)")
        self.left = len(server.leavings())
        self.log = server.log()

    @staticmethod
    def _deaths(trace):
        ends = re.findall(r"\+\+\+ (.*?) \+\+\+", trace)
        return [end for end in ends if end not in ("exited with 0", "superseded by execve")]


def runs_of(name):
    """Each error at every occurrence; under the first condition one error also at some of them."""
    call = CALLS[name]
    errors = call.errors.split()
    runs = []
    for number, condition in enumerate(call.conditions):
        ways = [(error, "1+") for error in errors]
        ways += [(errors[0], when) for when in OCCURRENCES[1:] if number == 0]
        for (error, when), wait in product(ways, WAITS):
            runs.append(Run(condition, wait, f"{name}:error={error}:when={when}", call.late))
    return runs


def carry_out(runs):
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(Run.carry_out, runs))


@has_this_libc
@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_server_is_recycled_without_a_failure(condition, wait):
    """What the others are compared with: the same, and no call fails."""
    leaves = condition not in ("pressure", "syslog", "a close")
    run = Run(condition, wait, "uname:delay_exit=0", late=False)
    run.carry_out(lambda server: len(server.leavings()) >= 8 or not leaves)
    assert run.problems == []
    assert run.left >= 8 or not leaves, run.log[-3000:]


@has_this_libc
@pytest.mark.parametrize("name", used_calls())
def test_no_failure_of_a_call_harms(name):
    runs = carry_out(runs_of(name))
    for run in runs:
        print(f"{run}: {run.injected} failed, {run.left} left {run.problems or ''}")
    assert [f"{run}: {run.problems}" for run in runs if run.problems] == []
    assert sum(run.injected for run in runs) > 0, f"{name} was never made: is the table right?"
