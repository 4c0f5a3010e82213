"""The review server refuses what does not come from its own page, and a report can do nothing in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
from playwright.sync_api import Browser, Page

from evals.cli import add_commands
from evals.gold_new import find_record, write_frame
from evals.review.library import Library
from evals.review.security import HEADERS, Keys, is_same
from evals.runs import load_run
from pipeline.cli.support import run_app
from tests.browser import chromium
from tests.hostile_reports import PAYLOADS, add_hostile_records, hostile_page, write_hostile
from tests.review_attacks import (
    CHANGES,
    MODES,
    PAGES,
    Outcome,
    attacked,
    cases,
    secrets_of,
    servers,
    table,
)
from tests.review_material import ROOT, SAMPLES, extracted
from tests.review_server import COMMAND, ReviewServer, Visit, review_server, visit

# A page of links and a page of every document: all that a mode has to show of two reports.
_MOST_PAGES = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("security")
    return extracted(
        folder, SAMPLES / "qilan_2022.html", SAMPLES / "botang_2023.pdf", SAMPLES / "moling_2023.md"
    )


@dataclass(frozen=True)
class Ended:
    """A server that Ctrl-C has ended."""

    run: Path
    secrets: dict[str, str]
    code: int
    errors: str
    left: list[int]


@pytest.fixture(scope="module")
def ended(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    copy = tmp_path_factory.mktemp("ended") / "run"
    shutil.copytree(run, copy)
    with review_server(copy) as server:
        cookie = {"Cookie": server.cookie()}
        assert server.ask("GET", "/", cookie).status == 200
        assert server.ask("GET", "/documents/1/places?spans=1-2", cookie).status == 200
        secrets, children = secrets_of(server), _children(server.pid)
        code = server.stop()
    return Ended(copy, secrets, code, server.errors, [pid for pid in children if _is_alive(pid)])


@pytest.fixture(scope="module")
def running(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ReviewServer]]:
    """A server of each mode that all tests share which leave it as it was."""
    with servers(run, tmp_path_factory.mktemp("running")) as started:
        yield started


@pytest.fixture(scope="module")
def outcomes(running: dict[str, ReviewServer], ended: Ended) -> dict[str, list[Outcome]]:
    with ThreadPoolExecutor() as pool:
        asked = {mode: pool.submit(attacked, running[mode], mode, ended.secrets) for mode in MODES}
        return {mode: each.result() for mode, each in asked.items()}


@pytest.mark.parametrize("mode", MODES)
def test_requests_of_others_are_refused_and_own_ones_answered(
    outcomes: dict[str, list[Outcome]], mode: str
) -> None:
    print(f"\n== {mode} ==", *table(outcomes[mode]), sep="\n")
    wrong = [(each.attack.group, each.attack.name, each.faults) for each in outcomes[mode] if each.faults]
    assert wrong == []


def test_the_list_of_attacks_has_all_kinds_of_them() -> None:
    groups = {attack.group for mode in MODES for attack in cases(mode)}
    assert groups == {"host", "origin", "token", "change", "method", "path", "number", "malformed"}
    for mode in MODES:
        names = [(attack.group, attack.name) for attack in cases(mode)]
        assert len(names) == len(set(names))


def test_every_address_that_takes_changes_is_attacked() -> None:
    """Read from the modules, so that a new address cannot be left out."""
    route = re.compile(r'Route\(\s*"([^"]+)",[^)]*methods=\["POST"\]')
    found = {
        path.replace("{n:int}", "1")
        for module in (ROOT / "evals" / "review").rglob("*.py")
        for path in route.findall(module.read_text(encoding="utf-8"))
    }
    assert found == {path for paths in CHANGES.values() for path in paths}


def test_secrets_are_compared_whole_and_differ_at_every_start() -> None:
    first, second = Keys(), Keys()
    values = [
        value for keys in (first, second) for value in (keys.token, keys.cookie, keys.csrf, keys.ticket)
    ]
    assert len(set(values)) == 8
    assert all(value is not None and len(value) >= 43 for value in values)
    assert first.token not in repr(first)
    assert is_same(first.token, first.token)
    assert not is_same(first.token[:-1], first.token)
    assert not is_same("\udcff", first.token)


def test_the_ticket_of_the_browsers_command_line_opens_once() -> None:
    keys = Keys()
    assert keys.ticket is not None
    assert not keys.has_given("")
    cookie = keys.open_with(keys.ticket)
    assert cookie is not None
    assert cookie not in (keys.cookie, keys.token, keys.ticket)
    assert keys.has_given(cookie)
    assert keys.open_with(keys.ticket) is None
    assert keys.open_with(keys.token) == keys.open_with(keys.token) == keys.cookie
    assert keys.has_given(keys.cookie)


def test_who_used_the_ticket_of_somebody_else_is_shut_out_when_that_one_comes() -> None:
    keys = Keys()
    assert keys.ticket is not None
    stolen = keys.open_with(keys.ticket)
    assert stolen is not None
    keys.open_with(keys.token)
    assert keys.has_given(stolen)
    assert keys.open_with(keys.ticket) is None  # the browser that was started with it
    assert not keys.has_given(stolen)
    assert keys.has_given(keys.cookie)


def test_a_refused_body_is_no_request(running: dict[str, ReviewServer]) -> None:
    """What another site's form sends may look like a request with anything in it."""
    server = running["review"]
    inner = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {server.cookie()}\r\n\r\n"
    bodies = {
        f"Content-Length: {len(inner)}": inner,
        "Content-Length: 0": inner,
        "Transfer-Encoding: chunked": f"0\r\n\r\n{inner}",
        "Transfer-Encoding: chunked\r\nContent-Length: 3": f"0\r\n\r\n{inner}",
        "Transfer-Encoding: xchunked\r\nContent-Length: 0": inner,
    }
    for head, body in bodies.items():
        sent = f"POST /documents/1/figures HTTP/1.1\r\nHost: attacker.example\r\n{head}\r\n\r\n{body}"
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(sent.encode())
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        assert re.findall(rb"HTTP/1\.1 (\d+)", received) in ([b"400"], [b"403"], [b"501"]), head


# The name of somebody else leads to this machine, as after DNS rebinding.
_REBOUND = "--host-resolver-rules=MAP rebound.example 127.0.0.1"

# --- A report that tries to run something


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(_REBOUND) as started:
        yield started


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile(folder / "documents")
    found = extracted(folder, folder / "documents")
    add_hostile_records(found)
    return found


@pytest.fixture(scope="module")
def looked_at(
    hostile: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Visit]]:
    """A visit to a server of each mode, begun when it is asked for."""
    with ExitStack() as stack:
        yield _Visits(stack, browser, hostile, tmp_path_factory.mktemp("looked_at"))


class _Visits(dict[str, Visit]):
    def __init__(self, stack: ExitStack, browser: Browser, hostile: Path, folder: Path) -> None:
        self._stack, self._browser, self._hostile, self._folder = stack, browser, hostile, folder

    def __missing__(self, mode: str) -> Visit:
        run = self._folder / mode / "run"
        shutil.copytree(self._hostile, run)
        documents = ("--documents", str(self._hostile.parent / "documents"))
        options = (*documents, *_options(run, run.parent, mode))
        server = self._stack.enter_context(review_server(run, *options))
        self[mode] = self._stack.enter_context(visit(self._browser, server))
        return self[mode]


def test_the_hostile_report_is_one(browser: Browser) -> None:
    """What the other tests rely on: opened as it is, the page does all that the review must not do."""
    context = browser.new_context()
    page = context.new_page()
    seen: dict[str, list[str]] = {"dialogs": [], "requests": []}
    page.on("dialog", lambda dialog: (seen["dialogs"].append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: seen["requests"].append(request.url))
    context.route("**/*", lambda route: route.abort())
    page.set_content(hostile_page())
    page.wait_for_function("window.owned === 1")
    assert seen["dialogs"]
    assert not page.locator("h1").is_visible()
    shown = "".join(html for name, html in PAYLOADS.items() if "elsewhere" in name)
    page.set_content(shown)
    assert any("attacker.example" in url for url in seen["requests"])
    context.close()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_a_hostile_report_runs(looked_at: dict[str, Visit], hostile: Path, mode: str) -> None:
    visiting = looked_at[mode]
    seen: dict[str, str] = {}
    for path in _walk(visiting, mode):
        where = _opened(visiting, path)
        # Several links lead to the same page.
        if where not in seen:
            seen[where] = _looked_at(visiting)
    shown = " ".join(seen.values())
    assert visiting.dialogs == []
    assert visiting.complaints == []
    assert visiting.strayed == []
    assert len(seen) >= 4, "the list, both documents, and the record that somebody made"
    print(f"\n{mode}: {len(seen)} pages with {len(PAYLOADS)} payloads each: nothing ran, nothing was asked")
    for number in (1, 2, 3):
        text = Library(hostile).text(number)
        assert text is not None
        missing = [line for line in text.splitlines() if _close(line) not in _close(shown)]
        assert missing == []
    assert "{{7*7}}" in shown
    assert "49" not in re.findall(r"template：(.{0,40})", shown)[0]


def _options(run: Path, folder: Path, mode: str) -> tuple[str, ...]:
    if mode == "annotate":
        return "--annotate", str(folder / "gold"), "--annotator", PAYLOADS["image"]
    if mode == "adjudicate":
        for name in ("a", "b"):
            for entry in Library(run).entries:
                path = write_frame(find_record(load_run(run), entry.doc_id), folder / name, prefill=True)
                _spoilt(path, name)
        return "--adjudicate", str(folder / "a"), str(folder / "b"), "--out", str(folder / "decided")
    if mode == "compare":
        shutil.copytree(run, folder / "other")
        records = folder / "other" / "records.jsonl"
        records.write_bytes(records.read_bytes().replace(b'"value":12,', b'"value":13,'))
        return "--compare", str(folder / "other")
    return "--annotator", PAYLOADS["image"]


def _spoilt(path: Path, annotator: str) -> None:
    """Whole gold of one annotator: figures and an issuer that the other lacks, and notes of markup."""
    content = path.read_text(encoding="utf-8")
    content = re.sub(r"(?m)^notes:.*\n|^annotators:.*\n", "", content)
    content = content.replace("status: draft", "status: annotated")
    content = re.sub(r"\[~.*\]", lambda cells: cells[0].replace("~", "_"), content)
    if annotator == "b":
        content = re.sub(r"\b12,", "13,", content)
        content = re.sub(r"issuer: [^,]+", lambda _: f"issuer: {_quoted(PAYLOADS['image'])}", content)
    content += f"notes: {_quoted(PAYLOADS['svg'])}\nannotators: [{_quoted(PAYLOADS['details'])}]\n"
    path.write_text(content, encoding="utf-8")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _walk(visiting: Visit, mode: str) -> Iterator[str]:
    """Paths of the server that can be reached by links, the documents first."""
    waiting = ["/", *(PAGES[mode].format(number) for number in (1, 2, 3))]
    known = set(waiting)
    for _ in range(_MOST_PAGES):
        if not waiting:
            return
        yield waiting.pop(0)
        for link in visiting.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)"):
            assert link.startswith(f"{visiting.server.base}/"), link
            path = link.removeprefix(visiting.server.base).partition("#")[0]
            if path not in known and "lang=" not in path:
                known.add(path)
                waiting.append(path)


def _opened(visiting: Visit, path: str) -> str:
    """Open a path of the server: where it leads to."""
    answer = visiting.page.goto(f"{visiting.server.base}{path}")
    assert answer is not None
    assert answer.ok, (path, answer.status)
    assert visiting.page.evaluate("window.owned") is None
    assert visiting.page.url.startswith(f"{visiting.server.base}/")
    return visiting.page.url.partition("#")[0]


def _looked_at(visiting: Visit) -> str:
    """The text of the page that is open, after some keys and clicks, with nothing in it that could run."""
    page = visiting.page
    page.keyboard.press("Tab")
    for key in ("ArrowDown", "Escape"):
        page.keyboard.press(key)
    marks = page.locator("mark[data-keys]")
    if marks.count():
        marks.first.click()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("window.owned") is None
    assert page.evaluate(_ALIVE) == []
    assert page.locator("main, #main").first.is_visible()
    assert page.url.startswith(f"{visiting.server.base}/")
    return _text_of(page)


_ALIVE = """() => [...document.querySelectorAll("*")].flatMap(each => [
    ["IFRAME", "OBJECT", "EMBED", "BASE", "STYLE", "AUDIO", "VIDEO", "MATH", "PORTAL", "TEMPLATE"]
        .includes(each.tagName.toUpperCase()) ? each.tagName : [],
    each.tagName === "META" && each.httpEquiv ? each.outerHTML : [],
    each.tagName === "SCRIPT" && !each.src ? each.outerHTML : [],
    [...each.attributes].filter(({name, value}) => name.startsWith("on") || ["style", "srcdoc"].includes(name)
        || /^\\s*(javascript|data|vbscript):/i.test(value) && name !== "value")
        .map(({name, value}) => `${each.tagName} ${name}=${value}`),
].flat())"""


def _text_of(page: Page) -> str:
    """What is written on the page and in its fields."""
    fields = page.eval_on_selector_all("input, textarea", "all => all.map(each => each.value)")
    return " ".join([page.locator("body").inner_text(), *fields])


def _close(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("mode", [mode for mode in MODES if CHANGES[mode]])
def test_what_is_typed_is_shown_as_text(looked_at: dict[str, Visit], mode: str) -> None:
    visiting = looked_at[mode]
    page, base = visiting.page, visiting.server.base
    page.goto(f"{base}{PAGES[mode].format(1)}")
    fields = page.locator("main :is(input, textarea):not([type=search], [type=checkbox]):visible")
    for field in fields.all()[:5]:
        field.click()
        page.keyboard.press("F2")  # in a cell: type into it
        page.keyboard.type(PAYLOADS["image"])
        page.keyboard.press("Tab")
    for mark in page.locator("main mark[data-keys]").all()[:3]:
        mark.click()
    page.wait_for_load_state("networkidle")
    for path in (PAGES[mode].format(1), PAGES[mode].format(2), "/"):
        assert page.evaluate("window.owned") is None
        assert page.evaluate(_ALIVE) == []
        page = visiting.another()
        page.goto(f"{base}{path}")
    # A figure that is none is refused, which the browser notes.
    refused = "Failed to load resource: the server responded with a status of 4"
    assert [each for each in visiting.complaints if not each.startswith(refused)] == []
    assert visiting.dialogs == []
    assert visiting.strayed == []
    if mode != "adjudicate":  # there a decision is sent by its own key
        assert any(CHANGES[mode][0] in url for url in visiting.requests), "something was sent"


# --- Pages of other sites in the browser that has the cookie

_ATTACKING = """<!doctype html><title>attacker</title><body><script>
const base = BASE, json = {"Content-Type": "application/json", "X-Gongkai-CSRF": "x"};
const post = {method: "POST", credentials: "include", body: "{}"};
const change = base + "/documents/1/figures";
const tries = [
    ["fetch", () => fetch(base + "/documents/1", {credentials: "include"}).then(r => r.text())],
    ["fetch no-cors", () => fetch(change, {mode: "no-cors", ...post})
        .then(r => r.text()).then(text => { if (text) throw text; return ""; })],
    ["fetch with headers", () => fetch(change, {headers: json, ...post})
        .then(r => r.text())],
    ["beacon", () => navigator.sendBeacon(change, "{}") && ""],
    ["script", () => loads("script", base + "/static/core.js")],
    ["image", () => loads("img", base + "/documents/1/pages/1")],
    ["stylesheet", () => loads("link", base + "/static/style.css")],
    ["frame", () => new Promise(done => { const frame = document.createElement("iframe");
        frame.onload = () => { try { done(frame.contentDocument.body.innerHTML); } catch { done(""); } };
        frame.src = base + "/documents/1"; document.body.append(frame); })],
    ["socket", () => new Promise(done => { const socket = new WebSocket(base.replace("http", "ws"));
        socket.onopen = () => done("open"); socket.onerror = () => done(""); })],
    ["window", () => new Promise(done => { const opened = window.open(base + "/documents/1");
        setTimeout(() => { try { done(opened.document.body.innerText); } catch { done(""); } }, 500); })],
    ["form", () => new Promise(done => { const form = document.createElement("form"); form.method = "post";
        form.enctype = "text/plain"; form.action = change; form.target = "sink";
        const sink = document.createElement("iframe"); sink.name = "sink"; sink.onload = () => done("");
        document.body.append(sink, form); form.submit(); })],
];
function loads(name, url) { return new Promise(done => { const element = document.createElement(name);
    element.onload = () => done("loaded"); element.onerror = () => done("");
    if (name === "link") { element.rel = "stylesheet"; element.href = url; } else { element.src = url; }
    document.body.append(element); }); }
window.found = (async () => { const found = {};
    for (const [name, attempt] of tries) {
        try { found[name] = await attempt(); } catch (error) { found[name] = ""; } }
    return found; })();
</script>"""


@contextmanager
def site(base: str) -> Iterator[int]:
    """A web server of somebody else; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(_ATTACKING.replace("BASE", repr(base)).encode())

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["another site", "another port"])
def test_a_page_of_another_site_gets_nothing(
    browser: Browser, running: dict[str, ReviewServer], host: str
) -> None:
    server = running["review"]
    reviews = Path(server.process.args[len(COMMAND)]) / "review.jsonl"  # type: ignore[index, arg-type]
    before = reviews.read_bytes()
    with visit(browser, server) as visiting, site(server.base) as port:
        visiting.page.goto("about:blank")  # its own requests are none of the other site's
        page = visiting.context.new_page()
        answers: list[tuple[str, int]] = []
        visiting.context.on(
            "response",
            lambda answer: (
                answers.append((answer.url, answer.status)) if answer.url.startswith(server.base) else None
            ),
        )
        asked_for: list[str] = []
        visiting.context.on(
            "request", lambda request: asked_for.append(request.url) if server.base in request.url else None
        )
        page.goto(f"http://{host}:{port}/")
        found = page.evaluate("window.found")
        assert len(found) == 11
        assert {name: got for name, got in found.items() if got} == {}
        # What the browser itself keeps from the page is among the requests, not among the answers.
        assert {status for _, status in answers} == {403}
        assert len(asked_for) >= 8
        print(f"\n{host}: {len(found)} ways tried, {len(asked_for)} requests, nothing got")
        mine = visiting.page.goto(f"{server.base}/documents/1")
        assert mine is not None
        assert mine.ok, "the review's own window goes on"
    assert reviews.read_bytes() == before


def test_a_name_that_is_turned_to_this_machine_gets_nothing(
    browser: Browser, running: dict[str, ReviewServer]
) -> None:
    """DNS rebinding in a real browser: a name of somebody else that resolves to the loopback."""
    server = running["review"]
    with closing(browser.new_context()) as context:
        page = context.new_page()
        for path in ("/", f"/?token={server.token}", "/documents/1"):
            answer = page.goto(f"http://rebound.example:{server.port}{path}")
            assert answer is not None
            assert answer.status == 403
        assert context.cookies() == []


# --- The start


def test_ctrl_c_ends_it_cleanly(ended: Ended) -> None:
    assert ended.code == 0
    assert ended.errors == ""
    assert ended.left == []


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_ctrl_c_does_not_wait_for_a_file_that_hangs(ended: Ended) -> None:
    """And the run is free again after the first end; the new start has a new token."""
    with review_server(ended.run) as server:
        assert server.token != ended.secrets["earlier"]
        cookie = {"Cookie": server.cookie()}
        assert server.ask("GET", "/documents/1", cookie).status == 200
        readers = [pid for pid in _children(server.pid) if "spawn_main" in _command(pid)]
        for pid in readers:
            os.kill(pid, signal.SIGSTOP)
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(server.ask("GET", "/documents/2", cookie).status)
        )
        asking.start()
        time.sleep(0.5)
        assert server.stop() == 0
        asking.join(10)
        assert answers == [200]
        assert server.errors == ""
    assert not [pid for pid in readers if _is_alive(pid)]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_a_run_is_reviewed_by_one_server(running: dict[str, ReviewServer]) -> None:
    server = running["review"]
    second = subprocess.run(
        [*COMMAND, str(server.process.args[len(COMMAND)]), "--no-browser"],  # type: ignore[index]
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert second.returncode == 3
    assert str(server.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert server.token not in second.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere",), 3, "nowhere: no such folder"),
        (("{empty}",), 3, "holds no records"),
        (("{run}", "--documents", "nowhere"), 3, "--documents nowhere: no such folder"),
        (("{run}", "--compare", "nowhere"), 3, "--compare nowhere: no such folder"),
        (("{run}", "--compare", "{empty}"), 3, "holds no records"),
        (("{run}", "--adjudicate", "nowhere", "{empty}", "--out", "x"), 3, "--adjudicate nowhere"),
        (("{run}", "--adjudicate", "{empty}", "{empty}"), 2, "--out"),
        (("{run}", "--out", "x"), 2, "--adjudicate"),
        (("{run}", "--annotate", "a", "--compare", "{run}"), 2, "one of them at a time"),
        (("{run}", "--target", "3"), 2, "--target"),
        (("{run}", "--lang", "fr"), 2, "--lang"),
        (("{run}", "--port", "99999"), 2, "--port"),
        (("{run}", "--port", "{taken}"), 3, "cannot listen"),
        (("{run}", "--host", ""), 2, "--host"),
        (("{run}", "--host", "no.such.host.invalid"), 3, "cannot listen"),
        (("{run}", "--host", "192.0.2.7"), 3, "cannot listen"),
        (("{run}", "--host", "a..b"), 3, "cannot listen"),
        (("{run}", "--host", "x" * 64), 3, "cannot listen"),
    ],
)
def test_what_cannot_start_says_why(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")  # where no name server answers
    (tmp_path / "empty").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"run": run, "empty": tmp_path / "empty", "taken": taken.getsockname()[1]}
        command = typer.Typer()
        add_commands(command)
        asked = ["review", *(argument.format(**values) for argument in arguments), "--no-browser"]
        assert run_app(command, asked) == code
    said = capfd.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def asked(server: ReviewServer, host: str, cookie: str | None = None) -> int:
    headers = {"Host": host} if cookie is None else {"Host": host, "Cookie": cookie}
    answer = server.ask("GET", "/", headers)
    assert all(answer.headers[name.lower()] == value for name, value in HEADERS.items())
    return answer.status


def test_other_machines_only_if_told_and_with_the_token(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    with review_server(tmp_path / "run", "--host", "0.0.0.0") as server:
        assert "warning" in server.errors
        assert "0.0.0.0" in server.errors
        assert "token and cookie" in " ".join(server.errors.split())
        port, cookie = server.port, server.cookie()
        own = (
            f"127.0.0.1:{port}",
            f"localhost:{port}",
            f"192.0.2.7:{port}",
            f"{socket.gethostname()}:{port}",
        )
        assert [asked(server, host, cookie) for host in own] == [200] * 4
        assert [asked(server, host) for host in own] == [403] * 4
        names = (f"attacker.example:{port}", f"192.0.2.7.attacker.example:{port}", "192.0.2.7", f"1:{port}")
        assert [asked(server, host, cookie) for host in names] == [403] * 4
        server.process.send_signal(signal.SIGTERM)  # it ends it as Ctrl-C does
        assert server.process.wait(30) == 0


def test_without_being_told_no_other_machine_can_connect(running: dict[str, ReviewServer]) -> None:
    for server in running.values():
        assert "warning" not in server.errors
        listening = [
            line.split()[1]
            for line in Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == server.port
        ]
        assert listening == [f"0100007F:{server.port:04X}"]
        assert not [
            line
            for line in Path(f"/proc/{server.pid}/net/tcp6").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == server.port
        ]


def test_the_browser_is_started_with_a_ticket_and_only_with_a_display(run: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.endswith("DISPLAY")}
    processes = []
    for name, display in (("without", {}), ("with", {"DISPLAY": ":99"})):
        folder = tmp_path / name
        shutil.copytree(run, folder / "run")
        script = folder / "browser"
        script.write_text(f'#!/bin/sh\necho "$1" >> {folder}/opened\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        process = subprocess.Popen(
            [*COMMAND, str(folder / "run")],
            cwd=ROOT,
            env=environment | display | {"BROWSER": f"{script} %s"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
    for process in processes:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "token=" in line).strip()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        process.communicate()
    assert not (tmp_path / "without" / "opened").exists()
    address = (tmp_path / "with" / "opened").read_text().strip()
    assert urlsplit(address).netloc == urlsplit(url).netloc
    assert address != url
