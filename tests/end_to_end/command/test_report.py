"""slshim report: what its page says is what the log says, in a real browser, on a phone, in the dark
and without scripts; and what cannot be read is refused in one line."""

import json
import os
import random
import re
import signal
import subprocess

import pytest

from browser import Browser, tables, text_of
from servers import (
    BUILD, Httpd, LeakyPrefork, for_a_second, has_signal, leavings, load_until_left, shim, tool, wait_until
)  # fmt: skip

COMMAND = BUILD / "slshim"
PICTURES = BUILD / "report"
MB = 1024 * 1024
PHONE, DESK = {"width": 390, "height": 844, "phone": True}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser():
    opened = Browser()
    yield opened
    opened.close()


def report(*words, **arguments):
    return subprocess.run(
        [str(COMMAND), "report", *map(str, words)], capture_output=True, text=True, timeout=60, **arguments
    )


def made(directory, *words):
    """The page that it writes; it has nothing to say about that."""
    page = directory / "report.html"
    done = report("-o", page, *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return page


def column(rows, title):
    index = rows[0].index(title)
    return [row[index] for row in rows[1:]]


# ------------------------------------------------------------------ real servers


def expect_as_in_log(seen, log):
    """Who left, when and why."""
    told = leavings(log)
    assert seen.complaints == []
    assert told
    assert f'<table class="leavings" data-count="{len(told)}">' in seen.dom
    rows = seen.tables["leavings"]
    assert sorted(column(rows, "worker")) == sorted(str(leaving.pid) for leaving in told)
    assert sorted(column(rows, "connections")) == sorted(str(leaving.connections) for leaving in told)
    over = [
        f"{name}: {value} KB > {limit} KB" for leaving in told for name, (value, limit) in leaving.limits.items()
    ]
    assert sorted(column(rows, "over")) == sorted(over)
    reasons = {row[0]: row[1] for row in seen.tables["reasons"][1:]}
    assert reasons["SL_MAX_UNSHARED"] == str(len(told))
    left = column(seen.tables["time"], "left")
    assert sum(map(int, left)) == len(told)
    canvases = seen.measures["canvases"]
    assert len(canvases) == 2 and all(canvas["is_drawn"] for canvas in canvases)


def test_log_of_a_server(browser, tmp_path):
    log = tmp_path / "log"
    variables = {"SL_MAX_UNSHARED": "3M", "SL_MAX_LEAVING": 2, "SL_LEAVE": "QUIT@close", "SL_LOG": log}
    with LeakyPrefork(shim(**variables)) as server:
        wait_until(
            lambda: for_a_second(server).expect_good() and len(leavings(log.read_text())) >= 12, "12 have left"
        )
        server.stop()
    with browser.open(made(tmp_path, "-f", log)) as seen:
        expect_as_in_log(seen, log.read_text())
        assert "SL_MAX_UNSHARED=3072 KB" in seen.dom
        assert "left: SL_MAX_UNSHARED" in seen.dom
        PICTURES.mkdir(exist_ok=True)
        seen.picture(PICTURES / "log.png")


def test_log_between_other_lines(tmp_path):
    """In httpd's own error log, read from standard input."""
    with Httpd(shim(SL_MAX_CONNECTIONS=200), workers_at_start=4) as server:
        load_until_left(server, 2)
        server.stop()
        log = server.log()
    assert re.search(r"^\[", log, re.MULTILINE)
    rows = tables(report("-f", "-", input=log).stdout)["leavings"]
    assert sorted(column(rows, "worker")) == sorted(str(leaving.pid) for leaving in leavings(log))


def test_dry_run(tmp_path):
    variables = {"SL_MAX_UNSHARED": "3M", "SL_LEAVE": "QUIT@close", "SL_DRY_RUN": 1}
    with LeakyPrefork(shim(**variables)) as server:
        load_until_left(server, 4)
        server.stop()
        log = server.log()
    (tmp_path / "log").write_text(log)
    rows = tables(made(tmp_path, "-f", tmp_path / "log").read_text())["reasons"]
    reasons = {row[0]: row[1] for row in rows[1:]}
    assert reasons["all that would have left (SL_DRY_RUN)"] == str(len(leavings(log)))
    assert "all that left" not in reasons


# -------------------------------------------------------------------- recordings


def recording(count, looks, **pool):
    """Of a pool whose workers grow by different amounts to 50 MB, and then leave."""
    some = random.Random(count)
    alive = [[1000 + i, some.uniform(1, 40), some.uniform(0.2, 2)] for i in range(count)]
    left, lines = 0, []
    for second in range(looks):
        for worker in alive:
            worker[1] += worker[2]
        gone = [worker for worker in alive if worker[1] > 50][: max(1, count // 10)]
        for worker in gone:
            left += 1
            worker[0], worker[1] = 1000 + count + left, some.uniform(1, 3)
        rows = [
            {"pid": pid, "state": "serving", "age": None, "connections": 7 * second, "unshared": int(size * MB),
             "proportional": int((size + 64 / count) * MB), "resident": int((size + 64) * MB), "swapped": 0,
             "held_by": None}
            for pid, size, _ in alive
        ]  # fmt: skip
        counts = {
            "leavings": {"SL_MAX_UNSHARED": left}, "leavings_asked": 0, "leavings_all": left, "would_leave": {},
            "would_leave_all": 0, "deaths": 0, "replacements": left,
        }  # fmt: skip
        known = {
            "master": 999, "program": "httpd", "unit": "httpd.service", "listeners": "*:80", "method": "USR1@close",
            "whose": "the profile of httpd", "settings": " SL_MAX_UNSHARED=51200 KB", "is_dry_run": False,
            "limit": {"SL_MAX_UNSHARED": 50 * MB, "SL_MAX_POOL": count * 40 * MB}, "age": 1000 * second,
            "counts": counts, "workers": rows,
        }  # fmt: skip
        lines.append(json.dumps({"time": 1795387801 + second, "pools": [known | pool]}) + "\n")
    return "".join(lines), left


def page_of(text, directory):
    file = directory / "recording"
    file.write_text(text)
    return made(directory, "-f", file)


@pytest.fixture(scope="module", params=[1, 8, 64, 1100])
def pool(request, tmp_path_factory):
    workers = request.param
    text, left = recording(workers, 90)
    return workers, left, page_of(text, tmp_path_factory.mktemp("report"))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_looks(browser, pool, size, dark):
    """Charts are drawn, nothing is wider than the page, and nobody complains."""
    workers, left, page = pool
    with browser.open(page, dark=dark, **size) as seen:
        measures = seen.measures
        assert seen.complaints == []
        assert measures["wide"] == size["width"] and measures["scroll"] <= size["width"]
        assert measures["beyond"] == [] and measures["scrolling"] == []
        assert len(measures["canvases"]) == 3
        for canvas in measures["canvases"]:
            assert canvas["is_drawn"] and 0.8 * size["width"] < canvas["wide"] <= size["width"]
        assert measures["background"] == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
        PICTURES.mkdir(exist_ok=True)
        seen.picture(PICTURES / f"{workers}-{size['width']}-{'dark' if dark else 'light'}.png")


def test_pointed_at(browser, pool):
    """The figures at a time, of the largest workers at most."""
    workers, _, page = pool
    with browser.open(page, **DESK) as seen:
        seen.point_at(".u-over", 0.1, 0.95)
        tip = seen.evaluate("document.querySelector('.tip:not([hidden])').textContent").splitlines()
        assert re.fullmatch(r"2026-11-22 22:50:\d\d", tip[0])
        assert all(re.search(r"\d (M|K)B$", line) for line in tip[1:9])
        assert len(tip) <= 10 and seen.complaints == []


def test_without_scripts(browser, pool):
    """The tables have it all, and no empty chart is to be seen."""
    workers, left, page = pool
    with browser.open(page, scripts=False, **PHONE) as seen:
        assert seen.measures["canvases"] == []
        assert seen.measures["beyond"] == [] and seen.measures["scrolling"] == []
        shown = "[...document.querySelectorAll('figure')].filter((figure) => figure.offsetHeight > 0).length"
        assert seen.evaluate(shown) == 0
        assert column(seen.tables["time"], "workers")[-1] == str(workers)
        assert sum(map(int, column(seen.tables["time"], "left"))) == left
        reasons = {row[0]: row[1] for row in seen.tables["reasons"][1:]}
        assert reasons["all that left"] == str(left)
        assert f'<table class="leavings" data-count="{left}">' in seen.dom or left == 0
        assert len(seen.tables["workers"]) == 1 + min(500, workers + left)
        PICTURES.mkdir(exist_ok=True)
        seen.picture(PICTURES / f"{workers}-without-scripts.png")


def test_on_paper(browser, pool):
    """With what is folded away on a screen, and with its charts, whose text is among the other."""
    workers, _, page = pool
    paper = PICTURES / f"{workers}.pdf"
    PICTURES.mkdir(exist_ok=True)
    with browser.open(page, dark=True) as seen:
        seen.paper(paper)
    text = subprocess.run([tool("pdftotext"), "-layout", paper, "-"], capture_output=True, text=True).stdout
    assert re.search(r"^ *(48|56) MB", text, re.MULTILINE)
    assert "Who left, the newest first" in text and text.count("SL_MAX_UNSHARED: ") == 0
    assert len(re.findall(r"^ *\d{4} +(serving|left) ", text, re.MULTILINE)) >= min(workers, 400)


def test_nothing_from_outside(pool):
    _, _, page = pool
    text = page.read_text()
    assert "default-src 'none'" in text
    markup = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"<[^>]*\b(src|href|style|on\w+)=", markup)
    assert "<link" not in text and "@import" not in text and "url(" not in text


HOSTILE = '</script><script>document.title="broken"</script><img src=x onerror="document.title=1">&\u202e"\''


def test_hostile_names(browser, tmp_path):
    """Whatever a program is called, it stays a name."""
    text, _ = recording(2, 5, program=HOSTILE[:60], unit=HOSTILE, settings=HOSTILE, method=HOSTILE[:60])
    with browser.open(page_of(text, tmp_path)) as seen:
        assert seen.complaints == []
        assert text_of(re.search(r"<h2>(.*?)</h2>", seen.dom)[1]) == HOSTILE[:60]
        assert seen.evaluate("document.title") == "slshim report: " + HOSTILE[:60].strip()
        assert "<img" not in seen.dom
        assert len(seen.measures["canvases"]) == 2


def test_unknown_is_not_nothing(browser, tmp_path):
    """A worker whose memory nobody tells has none in the tables."""
    workers = [{"pid": 7, "state": "serving", "age": None, "unshared": None, "proportional": None}]
    text, _ = recording(1, 5, workers=workers, counts=None)
    with browser.open(page_of(text, tmp_path)) as seen:
        assert seen.complaints == []
        assert set(column(seen.tables["time"], "median")) == {"-"}
        assert column(seen.tables["workers"], "most") == ["-"]
        assert "<dd>unknown</dd>" in seen.dom
        assert seen.measures["canvases"] == []


# ------------------------------------------------------------------- living pools


def test_living_pool(browser, tmp_path):
    """Watched under load; its page has no workers but those that it had."""
    variables = {"SL_MAX_UNSHARED": "8M", "SL_LEAVE": "QUIT@close"}
    with LeakyPrefork(shim(**variables), workers=4) as server:
        page = tmp_path / "report.html"
        command = [str(COMMAND), "report", "--for=5", "-o", str(page), str(server.master.pid)]
        with subprocess.Popen(command) as watching:
            while watching.poll() is None:
                for_a_second(server).expect_good()
        assert watching.returncode == 0
        alive = server.pids()
        left = server.leavings()  # after that, so that one that leaves meanwhile is in either
        pids = {str(pid) for pid in alive | {leaving.pid for leaving in left}}
        server.stop()
    with browser.open(page) as seen:
        assert seen.complaints == []
        assert 4 <= len(column(seen.tables["workers"], "worker"))
        assert set(column(seen.tables["workers"], "worker")) <= pids
        reasons = {row[0]: row[1] for row in seen.tables["reasons"][1:]}
        assert 0 < int(reasons["all that left"]) <= len(left)
        assert len(seen.measures["canvases"]) >= 2


def test_ended_early(tmp_path):
    """A signal ends the watching, and not the report."""
    with LeakyPrefork(shim(SL_MAX_UNSHARED="50M"), workers=4) as server:
        page = tmp_path / "report.html"
        command = [str(COMMAND), "report", "--for=1h", "-o", str(page), str(server.master.pid)]
        with subprocess.Popen(command) as watching:
            for_a_second(server)
            wait_until(lambda: has_signal(watching.pid, "SigCgt", signal.SIGINT), "it watches")
            watching.send_signal(signal.SIGINT)
            assert watching.wait(20) == 0
        server.stop()
    assert "ended early, by a signal" in page.read_text()


# ------------------------------------------------------------------------ errors


def refused(done, *words):
    """One line that has these words."""
    assert done.returncode == 125
    assert done.stdout == ""
    assert done.stderr.startswith("slshim: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


LEAVES = (
    "2026-11-22T22:50:01.250Z slshim: apache2[4711] leaves by USR1@close, over SL_MAX_UNSHARED: "
    "51236 KB > 51200 KB; size 312408 KB, resident 264140 KB, unshared 51236 KB, connections 1840, age "
    "96.21 s; waited 0.00 s and 0 connections for its turn\n"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("hello\n", "neither a log"),
        ("\x7fELF\0\0\1\n" * 99, "neither a log"),
        ('{"a": 1}\n', "neither a log"),
        ('{"time": 1, "poo', "cut off"),
        ("Nov 22 22:50:01 host slshim: apache2[1] leaves by USR1@close\n", "no time with a year"),
    ],
)
def test_refused_file(text, said, tmp_path):
    file, page = tmp_path / "file", tmp_path / "report.html"
    file.write_text(text)
    refused(report("-f", file, "-o", page), str(file), said, "" if "cut" in said else "accepted: ")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-f", "/no/such/file"], ["/no/such/file", "No such file"]),
        (["-f", "/"], ["/", "directory"]),
        (["-f"], ["-f", "value"]),
        (["--for=soon"], ["--for=soon", "accepted: a number of seconds"]),
        (["--for=0"], ["--for=0"]),
        (["--for=1m", "-f", "/etc/passwd"], ["-f FILE", "--for"]),
        (["-f", "/etc/passwd", "1"], ["-f FILE"]),
        (["1", "2"], ["one pid"]),
        (["me"], ['"me"', "a number"]),
        (["--color"], ["--color", "accepted: --for"]),
        (["-o", "/no/such/directory/page", "-f", "/etc/passwd"], ["/no/such/directory/page"]),
    ],
)
def test_refused_words(words, said):
    refused(report(*words), *said)


def test_refused_process():
    """It is in no pool."""
    refused(report(os.getpid()), str(os.getpid()), "no pool")


def test_last_line_cut_off(tmp_path):
    """Read as far as it goes, and said."""
    (tmp_path / "log").write_text(LEAVES + LEAVES[:120])
    dom = made(tmp_path, "-f", tmp_path / "log").read_text()
    assert 'class="leavings" data-count="1"' in dom
    assert "The last line is cut off" in dom
    text, _ = recording(2, 9)
    dom = page_of(text[:-20], tmp_path).read_text()
    assert "The last line is cut off" in dom


def test_damaged_line(tmp_path):
    text, _ = recording(2, 9)
    lines = text.splitlines(keepends=True)
    lines[3] = lines[3][:50] + "\n"
    dom = page_of("".join(lines), tmp_path).read_text()
    assert "1 lines cannot be read and are left out; the first is line 4." in dom


def test_page_is_whole_or_as_before(tmp_path):
    """What was there stays if the new page cannot be made."""
    page = tmp_path / "report.html"
    page.write_text("before")
    refused(report("-f", "/dev/null", "-o", page), "is empty")
    assert page.read_text() == "before" and os.listdir(tmp_path) == ["report.html"]
    (tmp_path / "log").write_text(LEAVES)
    made(tmp_path, "-f", tmp_path / "log")
    assert page.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_full_disk(tmp_path):
    (tmp_path / "log").write_text(LEAVES)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(COMMAND), "report", "-f", tmp_path / "log"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 125 and "No space left" in done.stderr


def test_journal(tmp_path):
    """As journalctl -o json has it, by way of syslog."""
    entry = {"MESSAGE": LEAVES.split("slshim: ")[1].strip(), "SYSLOG_IDENTIFIER": "slshim",
             "__REALTIME_TIMESTAMP": "1795387801250000"}  # fmt: skip
    (tmp_path / "journal").write_text(json.dumps(entry) + "\n")
    rows = tables(made(tmp_path, "-f", tmp_path / "journal").read_text())["leavings"]
    assert rows[1][:2] == ["2026-11-22 22:50:01", "4711"]
