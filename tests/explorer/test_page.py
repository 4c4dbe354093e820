"""The page in a real browser."""

import csv
import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from replicon.core import catalog
from replicon.memory import Hopfield

from .conftest import Server

HOPFIELD = "?system=memory.hopfield"
FOREIGN = "?system=foreign.system&plot=line&x=x"
SYSTEMS = [*[row[0] for row in catalog.BUILT_IN], "foreign.system"]


def ink(page):
    """Number of dark pixels in the drawing."""
    from PIL import Image

    image = Image.open(io.BytesIO(page.locator(".bk-Figure, .bk-Canvas").first.screenshot())).convert("L")
    return int((np.asarray(image) < 60).sum())


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_opens_and_draws_its_theory(name, visit):
    visitor = visit().open(f"?system={name}")
    assert not visitor.alert()
    assert ink(visitor.page) > 300
    assert visitor.page.get_by_role("button", name="Simulate").is_enabled()


def test_slider_moves_the_theory(visit):
    visitor = visit().open(HOPFIELD)
    before = visitor.numbers()["overlap"][0]
    handle = visitor.page.get_by_role("slider", name="load α")
    visitor.answer(lambda: handle.press("ArrowRight"))
    load = float(visitor.page.get_by_label("α =").input_value())
    assert load > 0.1
    shown = visitor.numbers()["overlap"][0]
    assert shown == f"{Hopfield(load=load).theory().overlap:.6g}" != before


def test_typed_value_beyond_the_slider_is_taken(visit):
    visitor = visit().open(HOPFIELD)
    visitor.answer(lambda: visitor.type("α =", "0.7"))
    assert visitor.numbers()["energy"][0] == f"({Hopfield(load=0.7).theory().energy:.6g})"


def test_bad_input_shows_its_message(visit):
    visitor = visit().open(HOPFIELD)
    before = visitor.numbers()
    for label, text, good, message in (
        ("α =", "-1", "0.1", "outside (0, inf)"),
        ("α =", "__import__('os')", "0.1", "give a number or an array of numbers in (0, inf)"),
        ("α =", "nan", "0.1", "load (α) is nan, outside (0, inf)"),
        ("α =", "1" * 100, "0.1", "100 characters"),
        ("load from", "0.5", "0.002", "larger upper end"),
        ("load from", "-1", "0.002", "leaves its range"),
        ("Sizes N", "few", "200", "give a whole number"),
    ):
        visitor.type(label, text)
        visitor.until(lambda message=message: message in visitor.alert())
        assert visitor.numbers() == before
        visitor.type(label, good)
        visitor.until(lambda: not visitor.alert())


def test_simulation_beyond_the_limits_is_refused(visit, server):
    visitor = visit().open(HOPFIELD)
    for label, text, good, message in (
        ("Sizes N", "5000", "200", "above the limit of this page, 2000"),
        ("Draws each", "100000", "8", "whole number in [1, 256]"),
        ("Points", "1000", "9", "whole number in [1, 64]"),
        ("Seed", "-3", "0", "whole number in [0"),
    ):
        visitor.type(label, text)
        visitor.simulate()
        visitor.until(lambda message=message: message in visitor.alert())
        visitor.type(label, good)
        visitor.until(lambda: not visitor.alert())
    assert not visitor.state()


def test_simulation_adds_points_with_error_bars(visit):
    visitor = visit().open(FOREIGN)
    visitor.type("Points", "3")
    visitor.simulate()
    visitor.until(lambda: "24 of 24 draws" in visitor.state())
    measured = measured_rows(download(visitor, "CSV")[1])
    assert [float(row[1]) for row in measured] == [0.25, 0.5, 0.75]
    for row in measured:
        assert abs(float(row[2]) - float(row[1]) ** 2) < 5 * float(row[3])
        assert row[4:6] == ["8", "200"]


def test_simulation_runs_in_a_process_of_its_own_and_cancels_within_a_second(visit, server):
    visitor = visit().open(f"{FOREIGN}&pause=1000&where=here")
    visitor.simulate()
    visitor.until(lambda: "simulating" in visitor.state())
    visitor.page.wait_for_timeout(1500)
    (process,) = [pid for pid in server.simulating() if time_on_cpu(pid) > 0]
    visitor.answer(lambda: visitor.page.get_by_role("slider", name="x").press("ArrowLeft"))
    visitor.page.get_by_role("button", name="Cancel").click()
    began = time.monotonic()
    visitor.until(lambda: "cancelled" in visitor.state())
    assert time.monotonic() - began < 1
    assert process not in server.simulating()


def time_on_cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[11])


def test_simulating_process_ends_with_the_visit(visit, server):
    visitor = visit().open(f"{FOREIGN}&pause=1000&where=here")
    before = set(server.simulating())
    visitor.simulate()
    visitor.until(lambda: "simulating" in visitor.state())
    (process,) = set(server.simulating()) - before or before
    visitor.page.goto("about:blank")
    end = time.monotonic() + 40
    while process in server.simulating():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("wrong", "8 failed, the first with ValueError: this draw went <b>wrong</b>"),
        ("fatal", "the simulating process ended by itself"),
        ("greedy", "above the limit of 0.9 GiB"),
    ],
)
def test_simulation_that_goes_wrong_says_so(mode, message, visit):
    visitor = visit().open(f"{FOREIGN}&mode={mode}&where=here")
    visitor.simulate()
    visitor.until(lambda: message in visitor.state())


def test_two_users_do_not_disturb_each_other(visit):
    one, two = visit().open(HOPFIELD), visit().open(HOPFIELD)
    two_before = two.numbers()
    one.answer(lambda: one.type("α =", "0.05"))
    one.type("Sizes N", "100")
    one.simulate()
    one.until(lambda: "72 of 72" in one.state())
    assert two.numbers() == two_before
    assert two.page.get_by_label("α =").input_value() == "0.1"
    assert not two.state()
    two.answer(lambda: two.type("α =", "0.12"))
    assert one.page.get_by_label("α =").input_value() == "0.05"


def test_link_reproduces_the_view(visit):
    one = visit().open(f"{HOPFIELD}&load=0.05&temperature=0.3&observable=energy&x=temperature&x_range=0.1,0.9")
    one.type("Draws each", "5")
    one.answer(lambda: one.type("α =", "0.06"))
    one.until(lambda: "load=0.06" in one.page.url and "realizations=5" in one.page.url)
    two = visit().open(one.page.url)
    assert two.numbers() == one.numbers()
    for label in ("α =", "T =", "temperature from", "temperature to", "Draws each"):
        assert (
            two.page.get_by_label(label, exact=True).input_value()
            == one.page.get_by_label(label, exact=True).input_value()
        )
    assert "energy e [J] against temperature" in two.page.locator("p b").first.inner_text()


def test_parameter_with_the_name_of_an_axis_is_kept_by_a_link(visit):
    visitor = visit().open(f"{FOREIGN}&parameter.x=0.3")
    assert visitor.numbers()["square"][0] == "0.09"


def test_link_with_mistakes_opens_and_says_so(visit):
    visitor = visit().open(f"{HOPFIELD}&load=-3&nonsense=1&x=rule&observable=nothing&x_range=a,b")
    for part in ("outside (0, inf)", "nonsense", "no parameter that can be on an axis", "give a number"):
        assert part in visitor.alert()
    assert visitor.page.get_by_label("α =").input_value() == "0.1"


def test_link_cannot_name_a_module(visit):
    visitor = visit().open("?system=os:system")
    assert "there is no system 'os:system'" in visitor.alert()


def test_choosing_another_system_and_plot(visit):
    visitor = visit().open(HOPFIELD)
    choice = visitor.page.get_by_label("System", exact=True)
    visitor.answer(lambda: choice.select_option(label="foreign.system: A system that the explorer has never heard of."))
    assert "profile p against place" in visitor.page.locator("p b").first.inner_text()
    visitor.answer(lambda: visitor.page.get_by_text("along a parameter").click())
    assert visitor.numbers()["square"][0] == "0.25"
    visitor.page.get_by_text("map of two parameters").click()
    visitor.until(lambda: "as colour over x and pause" in visitor.page.locator("p b").first.inner_text())
    visitor.wait()


def download(visitor, label):
    with visitor.page.expect_download() as found:
        visitor.page.get_by_text(label, exact=True).click()
    with open(found.value.path(), "rb") as file:
        return found.value.suggested_filename, file.read()


def measured_rows(content):
    return [row for row in csv.reader(io.StringIO(content.decode())) if row[0] == "simulation"]


def test_downloads_agree_and_the_python_gives_the_same_numbers(visit, tmp_path):
    visitor = visit().open(f"{HOPFIELD}&x_range=0.05,0.15&points=2&sizes=100&realizations=3&seed=7")
    visitor.simulate()
    visitor.until(lambda: "6 of 6 draws" in visitor.state())
    name, png = download(visitor, "PNG")
    assert name == "hopfield.png" and png.startswith(b"\x89PNG")
    rows = [row for row in csv.reader(io.StringIO(download(visitor, "CSV")[1].decode())) if row[0] != "kind"]
    (tmp_path / "view.nc").write_bytes(download(visitor, "netCDF")[1])
    code = download(visitor, "Python")[1].decode()
    dataset = xr.open_dataset(tmp_path / "view.nc", engine="scipy")
    means = [float(row[2]) for row in rows if row[0] == "simulation"]
    assert np.allclose(dataset["mean"], means)
    assert dataset["load"].attrs["symbol"] == "α"
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint('numbers', *mean.values.ravel(), *theory['overlap'].values[:3])"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "MPLBACKEND": "agg"},
    )  # fmt: skip
    numbers = [float(word) for word in done.stdout.rpartition("numbers")[2].split()]
    theory = [float(row[2]) for row in rows if row[0] == "theory"]
    assert np.allclose(numbers, [*means, *theory[:3]], rtol=1e-9)


@pytest.mark.parametrize("query", [HOPFIELD, f"{HOPFIELD}&plot=map", "?system=inference.amp"])
def test_phone_has_no_horizontal_scroll(query, visit):
    visitor = visit(390, 844).open(query)
    visitor.page.wait_for_timeout(300)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    slider = visitor.page.get_by_role("slider").first.bounding_box()
    assert slider["y"] < 844, "a slider must be in sight beside the plot that it moves"


def test_what_is_on_the_page_has_a_name(visit):
    visitor = visit().open(HOPFIELD)
    page = visitor.page
    page.get_by_role("slider", name="temperature T [J]").wait_for()
    page.get_by_role(
        "img", name="Plot: overlap m against load α. T = 0, state = auto, dynamics = sequential"
    ).wait_for()
    for field in page.locator("input, select").all():
        assert field.evaluate("e => e.labels && e.labels.length > 0 && e.labels[0].textContent.trim().length > 0")


def test_published_numbers_are_marked_and_lead_to_their_plot(visit):
    visitor = visit().open(HOPFIELD)
    summary = visitor.page.get_by_text("Published numbers")
    assert "on this plot" in summary.inner_text()
    summary.click()
    link = visitor.page.get_by_role("row").filter(has_text="q at T = 0.5, load 0.02").get_by_role("link").first
    visitor.open(visitor.url + link.get_attribute("href"))
    assert "edwards_anderson q against load" in visitor.page.locator("p b").first.inner_text()
    assert abs(float(visitor.numbers()["edwards_anderson"][0]) - 0.89459) < 1e-4


SWEEP = """
import sys
import foreign_system, replicon as rp
axes = dict(x=[0.1, 0.3, 0.5], pause=[0.0, 0.15])
rp.sweep(foreign_system.Foreign, **axes, sizes=[100, 200], realizations=8, store=sys.argv[1])
"""


def test_stored_sweep_opens_while_it_runs(visit, environment, tmp_path):
    store = tmp_path / "running.zarr"
    sweep = subprocess.Popen([sys.executable, "-c", SWEEP, str(store)], env=environment)
    while not store.exists():
        assert sweep.poll() is None
        time.sleep(0.1)
    server = Server(environment, "--store", store)
    try:
        visitor = visit(url=server.url).open()
        visitor.until(lambda: "draws done" in visitor.state())
        assert "running now" in visitor.state() or "complete" in visitor.state()
        visitor.until(lambda: "complete, 96 of 96" in visitor.state())
        assert sweep.wait(20) == 0
        assert visitor.page.get_by_label("pause: values of the sweep").count() == 1
        rows = measured_rows(download(visitor, "CSV")[1])
        assert sorted({(row[1], row[5]) for row in rows}) == sorted(
            (x, n) for x in ("0.1", "0.3", "0.5") for n in ("100", "200")
        )
    finally:
        server.stop()
        sweep.kill()
