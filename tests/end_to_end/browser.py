"""Pages in a real browser, Debian's chromium, without a screen: what becomes of them on screens of any
size, in the dark, without scripts and on paper. Nothing here knows what a page is about.

The browser is told what to do by its DevTools protocol, over a pair of pipes: a message of JSON and a
NUL, one after another."""

import base64
import html
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from servers import as_root, tool

TIMEOUT = 60  # seconds

# What is within a part that scrolls by itself is cut off there, and not wider than the page.
MEASURE = """(() => {
	const wide = document.documentElement.clientWidth;
	const isCut = (element) => element.closest(".table") !== null && !element.matches(".table");
	return {
		wide,
		scroll: document.documentElement.scrollWidth,
		beyond: [...document.body.querySelectorAll("*")]
			.filter((element) => element.getBoundingClientRect().right > wide + 1 && !isCut(element))
			.map((element) => element.tagName + "." + element.className),
		scrolling: [...document.querySelectorAll(".table")]
			.filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.firstElementChild.className),
		canvases: [...document.querySelectorAll("canvas")].map((canvas) => ({
			wide: canvas.getBoundingClientRect().width,
			is_drawn: canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte !== 0),
		})),
		background: getComputedStyle(document.body).backgroundColor,
	};
})()"""


class Browser:
    def __init__(self):
        self._profile = tempfile.TemporaryDirectory(prefix="slshim-browser-", ignore_cleanup_errors=True)
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()

        def connect():
            """It reads from descriptor 3 and writes to 4."""
            high = [os.dup(orders), os.dup(answers)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        command = [
            *[tool("chromium"), "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
            *["--no-sandbox"] * as_root(),
            *["--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}", "about:blank"],
        ]
        self._process = subprocess.Popen(
            command, preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(orders)
        os.close(answers)
        self._received, self._last, self._events = b"", 0, []

    def close(self):
        self._say("Browser.close")
        self._process.wait(TIMEOUT)
        os.close(self._answers)
        os.close(self._orders)
        self._profile.cleanup()

    def _message(self):
        while b"\0" not in self._received:
            more = os.read(self._answers, 1 << 16)
            assert more, "the browser ended"
            self._received += more
        text, _, self._received = self._received.partition(b"\0")
        return json.loads(text)

    def _say(self, method, session=None, **parameters):
        """Its answer; what happened meanwhile is kept."""
        self._last += 1
        order = {"id": self._last, "method": method, "params": parameters}
        os.write(self._orders, json.dumps(order | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (message := self._message()).get("id") != self._last:
            self._events.append(message)
        assert "error" not in message, message
        return message["result"]

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self._events):
            self._events.append(self._message())

    def open(self, page, **how):
        self._events.clear()
        return Page(self, page, **how)

    def complaints(self):
        """Of the page: errors of scripts, and what its policy forbids."""
        kinds = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
        return [event["params"] for event in self._events if event.get("method") in kinds]


class Page:
    """One that is open."""

    def __init__(self, browser, path, width=1280, height=900, dark=False, scripts=True, phone=False):
        self._browser = browser
        self._target = browser._say("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser._say("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._say(f"{domain}.enable")
        self._say(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone,
        )  # fmt: skip
        shade = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._say("Emulation.setEmulatedMedia", features=[shade])
        self._say("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._say("Page.navigate", url=f"file://{Path(path).resolve()}")
        browser.wait_for("Page.loadEventFired")
        self.measures = self.evaluate(MEASURE)
        self.dom = self.evaluate("document.documentElement.outerHTML")
        self.tables = tables(self.dom)
        self.complaints = browser.complaints()

    def _say(self, method, **parameters):
        return self._browser._say(method, self._session, **parameters)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._browser._say("Target.closeTarget", targetId=self._target)

    def evaluate(self, expression):
        """Also where the page itself may run no scripts."""
        result = self._say("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def point_at(self, selector, x=0.5, y=0.5):
        """Moves the pointer there, in shares of the first such part."""
        self.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        box = self.evaluate(
            f"(({{left, top, width, height}}) => [left, top, width, height])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for step in (-1, 0):  # a pointer enters before it stands still
            self._say(
                "Input.dispatchMouseEvent",
                type="mouseMoved", x=box[0] + box[2] * x + step, y=box[1] + box[3] * y,
            )  # fmt: skip

    def picture(self, file):
        """A PNG of the whole of it."""
        size = self._say("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}
        taken = self._say("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        Path(file).write_bytes(base64.b64decode(taken["data"]))

    def paper(self, file):
        """As a PDF, on A4."""
        printed = self._say("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        Path(file).write_bytes(base64.b64decode(printed["data"]))


def text_of(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def tables(markup):
    """The rows of each table by its class, the head first."""
    found = {}
    for name, body in re.findall(r'<table class="(\w+)"[^>]*>(.*?)</table>', markup, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
        cells = [[text_of(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows]
        found.setdefault(name, []).extend(cells)
    return found
