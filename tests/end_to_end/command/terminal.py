"""A terminal for programs that draw on it: what is on its screen, keys, sizes, and what is left of it.

Nothing here knows what is drawn."""

import contextlib
import os
import signal
import termios

try:
    import pexpect
    import pyte
except ImportError as error:
    pexpect, missing = None, error

from servers import PATIENCE, Missing, wait_until


if pexpect is not None:

    class Screen(pyte.Screen):
        """With what ncurses sends to an xterm and pyte does not know."""

        last = " "

        def draw(self, data):
            self.last = data[-1]
            super().draw(data)

        def repeat(self, times=1):
            self.draw(self.last * (times or 1))

        def scroll_up(self, lines=1):
            self._at_margin(self.index, 1, lines)

        def scroll_down(self, lines=1):
            self._at_margin(self.reverse_index, 0, lines)

        def _at_margin(self, step, which, lines):
            margins = self.margins or (0, self.lines - 1)
            before, self.cursor.y = self.cursor.y, margins[which]
            for _ in range(lines or 1):
                step()
            self.cursor.y = before

    class Stream(pyte.ByteStream):
        csi = pyte.ByteStream.csi | {"b": "repeat", "S": "scroll_up", "T": "scroll_down"}
        events = pyte.ByteStream.events | {"repeat", "scroll_up", "scroll_down"}


class Terminal:
    """Runs a command in a terminal of so many columns and lines."""

    def __init__(self, command, columns=80, lines=24, **environment):
        if pexpect is None:
            raise Missing(f"{missing.name} is not installed")
        clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.screen = Screen(columns, lines)
        self.stream = Stream(self.screen)
        self.output = b""  # all of it
        self.child = pexpect.spawn(
            str(command[0]),
            [str(word) for word in command[1:]],
            dimensions=(lines, columns),
            env=clean | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | environment,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close(force=True)

    def read(self):
        """What has come since; false at its end."""
        try:
            data = self.child.read_nonblocking(1 << 16, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.output += data
        self.stream.feed(data)
        return True

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def wait_for(self, condition, what, seconds=PATIENCE):
        """Until it holds for the lines of the screen; returns them."""

        def holds():
            self.read()
            return condition(self.lines())

        try:
            wait_until(holds, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen is\n{self.text()}") from None
        return self.lines()

    def wait_for_text(self, *texts, seconds=PATIENCE):
        return self.wait_for(
            lambda lines: all(text in "\n".join(lines) for text in texts), f"{texts} on the screen", seconds
        )

    def press(self, keys):
        self.child.send(keys)

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def send_signal(self, number):
        os.kill(self.child.pid, number)

    def end(self, seconds=PATIENCE):
        """Waits for the end of the command; its status, negative: the signal."""
        wait_until(lambda: not self.read(), "the command has ended", seconds)
        self.child.wait()
        return -self.child.signalstatus if self.child.signalstatus else self.child.exitstatus

    def expect_restored(self):
        """The screen before it is there again, with its cursor, and what is typed is seen, by lines."""
        assert self.output.count(b"\x1b[?1049h") == self.output.count(b"\x1b[?1049l") > 0
        assert self.output.rindex(b"\x1b[?25h") > self.output.rindex(b"\x1b[?25l")
        with contextlib.suppress(termios.error):  # it is gone
            modes = termios.tcgetattr(self.child.child_fd)[3]
            assert modes & (termios.ECHO | termios.ICANON | termios.ISIG) == (
                termios.ECHO | termios.ICANON | termios.ISIG
            )


SIGNALS_THAT_END = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
FAULTS = [signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL]
