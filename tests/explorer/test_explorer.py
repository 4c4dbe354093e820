"""What the explorer computes, without a browser."""

import threading
import time

import numpy as np
import pytest

import replicon as rp
from replicon.core import catalog
from replicon.core.claims import Claim
from replicon.core.errors import DataError, ParameterError, RepliconError, ResourceError
from replicon.core.parameters import parameters_of
from replicon.explorer.limits import Limits
from replicon.explorer.measurements import Measurements
from replicon.explorer.picture import draw_line, draw_map
from replicon.explorer.predictions import WIDTH, Theory, coarse_to_fine
from replicon.explorer.reach import clean, nice, reach_of, read_sizes
from replicon.explorer.runner import Places, Run, Task
from replicon.explorer.shared import Shared
from replicon.explorer.stored import StoredSweep
from replicon.explorer.view import Subject
from replicon.inference import Ridge
from replicon.memory import Hopfield

from .foreign import Foreign

HOPFIELD, FOREIGN = Subject.of("memory.hopfield", Hopfield), Subject.of("foreign.system", Foreign)
TARGET = f"{Foreign.__module__}:Foreign"


@pytest.mark.parametrize("name", [row[0] for row in catalog.BUILT_IN])
def test_every_slider_covers_allowed_values_and_the_default(name):
    owner = catalog.load(name)
    subject = Subject.of(name, owner)
    for word, info in parameters_of(owner).items():
        if not info.static:
            reach = subject.reach(word)
            assert info.allows(np.array([reach.start, reach.end])).all()
            assert reach.start <= subject.defaults[word] <= reach.end
            assert 50 < (reach.end - reach.start) / reach.step <= 410
    view = subject.check(subject.first())
    assert subject.table[view.observable].face == "both"


def test_numbers_are_those_that_were_meant():
    assert clean(0.1 + 0.021) == 0.121
    assert [nice(v) for v in (0.002, 0.0049, 0.005, 3.0, 0.1)] == [0.002, 0.002, 0.005, 2.0, 0.1]
    assert read_sizes(" 500, 200;200 ") == (200, 500)
    for text in ("", "1.5", "1,2,3,4,5,6", "x"):
        with pytest.raises(DataError):
            read_sizes(text)
    wide = parameters_of(Ridge)["aspect"]
    assert reach_of(wide, 1.5).end == 6.0


def test_link_and_view_are_the_same_thing():
    view = HOPFIELD.first()
    query = dict(part.split("=", 1) for part in view.query()[1:].replace("%2C", ",").split("&"))
    again, notes = HOPFIELD.from_query(query)
    assert again == view and not notes
    view = FOREIGN.first()
    assert "parameter.x=0.5" in view.query() and "&x=x" in view.query()


@pytest.mark.parametrize("count", [1, 2, 3, 8, 95, 100])
def test_coarse_order_covers_the_range_evenly(count):
    order = coarse_to_fine(count)
    assert sorted(order) == list(range(count))
    for part in (9, 17, 33):
        if part < count:
            gaps = np.diff(np.sort(order[:part]))
            assert gaps.max() <= 2 * np.ceil((count - 1) / (part - 1))


def test_chunks_give_the_theory_of_each_point_and_one_compilation():
    theory = Theory(Ridge)
    points = [{**Ridge().values(), "aspect": a} for a in np.linspace(0.2, 3, 2 * WIDTH + 3)]
    found = theory.predict(points)
    direct = [Ridge(**p).theory().test_error for p in points]
    assert np.allclose([one.scalar("test_error") for one in found], direct, rtol=1e-12)
    assert len(theory.compiled) == 1


def test_regimes_are_kept_apart_and_refused_points_are_gaps():
    theory = Theory(Hopfield)
    base = Hopfield(load=0.05).values()
    found = theory.predict([{**base, "temperature": t} for t in (0.0, 0.3)] + [{**base, "load": -1.0}])
    assert found[0].scalar("overlap") == pytest.approx(Hopfield(load=0.05).theory().overlap)
    assert found[1].scalar("overlap") == pytest.approx(Hopfield(load=0.05, temperature=0.3).theory().overlap)
    assert found[2].declined and np.isnan(found[2].scalar("overlap")) and "outside" in found[2].note
    assert len(theory.compiled) == 2


def picture_of_foreign(**changes):
    view = FOREIGN.from_query({"plot": "line", "x": "x", **changes})[0]
    x = FOREIGN.axis(view, "x", 41)
    found = dict(enumerate(Theory(Foreign).predict([view.at(x=v) for v in x])))
    return draw_line(FOREIGN, view, x, found, None, [], []), x


def test_line_shows_doubt_refusal_and_gaps():
    picture, x = picture_of_foreign()
    sure, doubtful, declined = (np.isfinite(picture.lines[k]) for k in ("sure", "doubtful", "declined"))
    assert not (sure | doubtful | declined)[(x > 0.2) & (x < 0.25)].any()
    assert sure[x < 0.2].all() and doubtful[(x > 0.4) & (x <= 0.8)].all() and declined[x > 0.8].all()
    assert not (sure & declined).any() and (sure & doubtful).sum() == 1  # joined where the doubt begins
    assert "assumed" in picture.labels["doubtful"] and "unknown above 0.8" in picture.labels["declined"]


def test_published_numbers_are_marked_where_they_belong():
    claims = [
        Claim("m", 0.99, "a", 1, "b", of="overlap", at={"load": 0.1, "temperature": 0}),
        Claim("critical", 0.138, "a", 1, "b", of="load", at={"temperature": 0}),
        Claim("warm", 0.9, "a", 1, "b", of="overlap", at={"load": 0.1, "temperature": 0.3}),
        Claim("spinodal", 0.3, "a", 1, "b", of="temperature", at={"load": 0.1}),
        Claim("elsewhere", 0.3, "a", 1, "b"),
    ]
    view = HOPFIELD.first()
    line = draw_line(HOPFIELD, view, np.zeros(0), {}, None, [], claims)
    assert [(m.x, m.y) for m in line.marks] == [(0.1, 0.99), (0.138, None)]
    axis = np.array([0.1, 0.2])
    plane = draw_map(HOPFIELD, view, axis, axis, {}, [], claims, [])
    assert [(m.x, m.y) for m in plane.marks] == [(0.1, 0.0), (0.138, 0.0), (0.1, 0.3), (0.1, 0.3)]


@pytest.mark.parametrize("name", [row[0] for row in catalog.BUILT_IN])
def test_place_of_every_published_number_exists(name):
    owner = catalog.load(name)
    table = owner.Observables.table()
    for claim in rp.claims(name):
        if claim.of:
            dims = table[claim.of].dims if claim.of in table else ()
            assert claim.of in table or claim.of in owner.parameters()
            owner.make(**{word: value for word, value in claim.at.items() if word not in dims})
        else:
            assert not claim.at


def test_phase_lines_of_a_system_lie_on_its_axes(monkeypatch):
    line = rp.core.phases.PhaseLine(
        "T_c", ("load", "temperature"), (np.array([0.1]), np.array([0.3])), {"state": "auto"}
    )
    view, axis = HOPFIELD.first(), np.array([0.1, 0.2])
    assert draw_map(HOPFIELD, view, axis, axis, {}, [], [], [line]).phases[0][1:] == line.values
    turned = HOPFIELD.from_query({"x": "temperature", "y": "load"})[0]
    assert draw_map(HOPFIELD, turned, axis, axis, {}, [], [], [line]).phases[0][1:] == line.values[::-1]
    other = HOPFIELD.from_query({"state": "retrieval"})[0]
    assert not draw_map(HOPFIELD, other, axis, axis, {}, [], [], [line]).phases


def test_measurements_are_shown_at_their_parameters_only_and_bounded():
    kept = Measurements(kept=3)
    for place, load in enumerate((0.1, 0.2, 0.3, 0.4)):
        kept.add("s", {"load": load, "temperature": 0.0}, 100, 0, {0: {"m": 1.0}, 1: {"m": 3.0}}, {})
        assert len(kept) == min(place + 1, 3)
    assert [c.values["load"] for c in kept.select("s", {"load": 9.0, "temperature": 0.0}, ("load",))] == [0.2, 0.3, 0.4]
    assert not kept.select("s", {"load": 0.2, "temperature": 0.1}, ("load",))
    mean, error, count = kept.select("s", {"load": 0.2, "temperature": 0.0}, ())[0].summary("m")
    assert (mean, error, count) == (2.0, 1.0, 2)


def test_measurements_may_be_read_while_a_run_adds_to_them():
    kept = Measurements(kept=50)
    stop = threading.Event()

    def add():
        place = 0
        while not stop.is_set():
            kept.add("s", {"load": 0.1}, 100, 0, {place: {"m": 1.0}}, {})
            place += 1

    thread = threading.Thread(target=add)
    thread.start()
    try:
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            for cell in kept.select("s", {}, ("load",)):
                cell.summary("m")
            kept.count("s")
    finally:
        stop.set()
        thread.join()


class Runs:
    def __init__(self):
        self.places = Places(1)
        self.draws = []

    def run(self, *values, limits=None, **more):
        tasks = [Task(TARGET, {**Foreign().values(), **v}, 100, 3, (0, 1)) for v in values]
        run = Run(self.places, tasks, limits or Limits(), self.found, lambda: None)
        run.start()
        return run

    def found(self, task, rows, failed):
        self.draws.append((task, rows, failed))


@pytest.fixture(scope="module")
def runs():
    runs = Runs()
    yield runs
    runs.places.close()


def test_run_gives_the_bits_of_any_other_way(runs):
    runs.draws.clear()
    run = runs.run({"x": 0.25}, {"mode": "wrong"}, {"x": 0.75})
    run.wait(60)
    assert run.progress.finished and run.progress.failed == 2 and run.progress.done == 6
    stored = rp.sweep(Foreign, x=[0.25, 0.75], sizes=[100], realizations=2, seed=3)
    for task, rows, failed in runs.draws:
        if not failed:
            expected = stored["square"].sel(x=task.values["x"], size=100).values
            assert [rows[i]["square"] for i in (0, 1)] == expected.tolist()


def test_run_stops_at_its_time_and_when_told_and_the_next_one_waits(runs):
    slow = runs.run({"pause": 1000.0}, limits=Limits(seconds=3.0))
    waiting = runs.run({"x": 0.25})
    time.sleep(1.0)
    assert waiting.progress.state == "waiting for a free place"
    slow.wait(60)
    assert "the limit of 3 s is reached" in slow.progress.state
    waiting.wait(60)
    assert waiting.progress.state.startswith("2 of 2 draws")
    told = runs.run({"pause": 1000.0})
    time.sleep(2.0)
    began = time.monotonic()
    told.cancel()
    told.wait(10)
    assert time.monotonic() - began < 1.0 and "cancelled" in told.progress.state
    assert threading.active_count() < 30


def test_request_beyond_the_limits_is_refused():
    with pytest.raises(ResourceError, match="above the limit of this page"):
        Limits(size=100).check(Hopfield(), 101)
    with pytest.raises(ResourceError, match="GiB"):
        Limits(memory=2**20).check(Hopfield(), 9000)
    with pytest.raises(ParameterError, match="positive"):
        Limits(seconds=0)


def test_store_of_an_unknown_system_is_not_loaded(tmp_path):
    path = str(tmp_path / "study.zarr")
    rp.sweep(Foreign, x=[0.1, 0.3], pause=[0.0], sizes=[50], realizations=4, store=path)
    with pytest.raises(ParameterError, match="in no catalogue"):
        Shared(Limits(), stores=[path])
    shared = Shared(Limits(), TARGET, [path])
    sweep = shared.stores["study.zarr"]
    assert isinstance(sweep, StoredSweep) and sweep.varied == {"x": [0.1, 0.3], "pause": [0.0]}
    view = sweep.first(shared.subject(TARGET))
    view = shared.subject(TARGET).from_query({"plot": "line", "x": "x"})[0]
    cells = sweep.cells(view)
    measured = rp.open_study(path)["square"].mean("realization").values.ravel()
    assert np.allclose([cell.summary("square")[0] for cell in cells], measured)
    assert sweep.cells(shared.subject(TARGET).from_query({"x": "x", "pause": "3"})[0]) == []


def test_port_and_missing_panel_are_said(monkeypatch):
    with pytest.raises(ParameterError, match="port"):
        rp.explore(port=70000)
    monkeypatch.setitem(__import__("sys").modules, "panel", None)
    with pytest.raises(RepliconError, match="pip install"):
        rp.explore()
