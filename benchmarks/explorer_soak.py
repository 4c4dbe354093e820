"""Slider moves on the explorer's page in a real browser: time of the theory at the server, and its memory.

Every move is answered before the next: quick ones would be coalesced. Needs the extra ``explorer``, playwright and
chromium.

    python benchmarks/explorer_soak.py                           1000 moves of memory.hopfield, 60 of every other system
    python benchmarks/explorer_soak.py memory.hopfield --moves 200
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from replicon.core import catalog
from replicon.explorer.runner import resident_bytes

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
SOAKED = "memory.hopfield"
ANSWERED = """(before) => {
  const find = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.classList.contains('answered')) return element;
      const found = element.shadowRoot && find(element.shadowRoot);
      if (found) return found;
    }
  };
  const element = find(document);
  if (!element || Number(element.dataset.answers) <= before || element.dataset.state !== 'complete') return null;
  return [Number(element.dataset.answers), element.textContent];
}"""


def mebibytes(pid: int) -> float:
    return resident_bytes(pid) / 2**20


def soak(browser, url, name, moves, pid):
    """Server times in ms of so many answered moves of the last slider, and the server's memory along the way."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(180_000)
    page.goto(f"{url}?system={name}")
    answers, _ = page.wait_for_function(ANSWERED, arg=0).json_value()
    sliders = page.get_by_role("slider")
    handle = sliders.nth(min(1, sliders.count() - 1))
    times, memory = [], []
    for move in range(-WARM, moves):
        if move == 0:
            memory.append(mebibytes(pid))
        # a slider that rests at its end would not move: first up, then to and fro
        handle.press("ArrowRight" if move % 20 < 10 else "ArrowLeft")
        answers, text = page.wait_for_function(ANSWERED, arg=answers).json_value()
        if move >= 0:
            times.append(float(re.search(r"in (\d+) ms", text)[1]))
            if move % 100 == 99:
                memory.append(mebibytes(pid))
    memory.append(mebibytes(pid))
    page.close()
    return times, memory


WARM = 40
"""Moves that are not counted: they compile other regimes and fill caches."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*")
    parser.add_argument("--moves", type=int, default=1000)
    parser.add_argument("--others", type=int, default=60, help="moves of the systems that are not soaked")
    options = parser.parse_args()
    names = options.systems or [SOAKED, *[row[0] for row in catalog.BUILT_IN if row[0] != SOAKED]]
    command = [str(Path(sys.executable).with_name("replicon")), "explore", "--no-open", "--port", "0"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    url = re.search(r"http://\S+", server.stdout.readline())[0]
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    print(f"{'system':32} {'moves':>6} {'median':>8} {'95 %':>8} {'most':>8}   memory of the server, MiB")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            for name in names:
                moves = options.moves if name == names[0] else options.others
                began = time.perf_counter()
                times, memory = soak(browser, url, name, moves, server.pid)
                high = sorted(times)[int(0.95 * (len(times) - 1))]
                middle = statistics.median(times)
                print(
                    f"{name:32} {len(times):6} {middle:5.0f} ms {high:5.0f} ms {max(times):5.0f} ms   "
                    f"{memory[0]:.1f} -> {memory[-1]:.1f} ({min(memory):.1f} to {max(memory):.1f}), "
                    f"{time.perf_counter() - began:.0f} s",
                    flush=True,
                )
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
