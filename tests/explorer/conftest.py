"""One server and one browser for all tests of the page."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE, ROOT = Path(__file__).parent, Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with an installed third party: a module and the entry point that names it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(HERE / "foreign.py", folder / "foreign_system.py")
    package = folder / "foreign_system-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-system\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[replicon.systems]\nforeign.system = foreign_system:Foreign\n")
    return folder


@pytest.fixture(scope="session")
def environment(site):
    paths = os.pathsep.join([str(site), str(ROOT)])
    return {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Server:
    """``replicon explore`` in a process of its own."""

    def __init__(self, environment, *arguments):
        command = [str(Path(sys.executable).with_name("replicon")), "explore", "--no-open", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)], stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True
        )
        line = self.process.stdout.readline()
        self.url = re.search(r"http://\S+", line)[0]

    def simulating(self):
        """Process ids of the simulating processes."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
                command = (path.parent / "cmdline").read_text()
            except OSError:
                continue
            if parent == self.process.pid and "explorer.worker" in command:
                found.append(int(path.parent.name))
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="session")
def server(environment):
    server = Server(environment, "--max-seconds", "40", "--max-size", "2000", "--max-memory", "0.9")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "the tests of the explorer need chromium: 'make test' installs it on Debian"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """A browser page, all that it asked for and all that it complained of."""

    def __init__(self, page, url):
        self.page, self.url = page, url
        self.complaints, self.requests = [], []
        page.set_default_timeout(30_000)
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, query=""):
        self.page.goto(query if query.startswith("http") else self.url + query)
        return self.wait()

    def wait(self):
        """Until the theory of the view is complete."""
        self.page.wait_for_selector(".answered[data-state=complete]")
        return self

    def answers(self):
        return int(self.page.locator(".answered").get_attribute("data-answers"))

    def answer(self, act):
        """Do something and wait until the theory has answered it."""
        before = self.answers()
        act()
        self.page.wait_for_function(_ANSWERED, arg=before)
        return self.wait()

    def type(self, label, text):
        field = self.page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")

    def numbers(self):
        """The table at the sliders: theory by observable."""
        rows = self.page.locator("tbody tr").filter(has=self.page.locator("th[scope=row][title]"))
        cells = [(r.locator("th").inner_text(), r.locator("td").all_inner_texts()) for r in rows.all()]
        return {name.split()[0]: values for name, values in cells}

    def alert(self):
        return " ".join(self.page.get_by_role("alert").all_inner_texts())

    def simulate(self):
        self.page.get_by_role("button", name="Simulate").click()

    def state(self):
        """What is said of the simulation."""
        return " ".join(self.page.locator(".note[role=status]").all_inner_texts())

    def until(self, condition, seconds=40.0):
        import time

        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not reached; simulation: {self.state()!r}, alert: {self.alert()!r}"
            self.page.wait_for_timeout(30)


_ANSWERED = """(before) => {
  const find = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.classList.contains('answered')) return element;
      const found = element.shadowRoot && find(element.shadowRoot);
      if (found) return found;
    }
  };
  const element = find(document);
  return element && Number(element.dataset.answers) > before;
}"""


@pytest.fixture
def visit(server, chromium):
    """Make visitors, each with a browser context of her own; nobody asks for anything from elsewhere or complains."""
    contexts, visitors = [], []

    def make(width=1280, height=1000, url=None):
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), url or server.url))
        return visitors[-1]

    yield make
    for visitor in visitors:
        elsewhere = [r for r in visitor.requests if not r.removeprefix("blob:").startswith((visitor.url, "data:"))]
        assert not elsewhere
        assert not visitor.complaints
    for context in contexts:
        context.close()
