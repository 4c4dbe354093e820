"""The report: one file that needs nothing else, says everything, and repeats what it shows."""

import base64
import re
import shlex
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure

import replicon as rp
from replicon import cli
from replicon.core import catalog, tables
from replicon.core.sections import Code, Picture, Section, Table
from replicon.memory import Hopfield, ParallelRecall
from replicon.memory.hopfield import demonstration
from replicon.report.page import render_page, render_section
from tests.core.systems import Coin

VOID = {"meta", "img"}
REQUESTING = {"src", "href", "srcset", "action", "data", "poster", "background"}


class Page(HTMLParser):
    """Elements, text and errors of nesting of a page."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def result():
    return rp.compare(Hopfield(load=0.1), sizes=[100, 200], realizations=6, seed=2)


@pytest.fixture(scope="module")
def page(result, tmp_path_factory):
    return Page(rp.report(result, tmp_path_factory.mktemp("report") / "report.html").read_text())


def test_a_report_needs_nothing_but_itself(page):
    assert not page.all("script") and not page.all("link") and not page.all("iframe")
    for _, attributes in page.elements:
        for name in REQUESTING & set(attributes):
            assert attributes[name].startswith("data:image/")
        assert not [name for name in attributes if name.startswith("on")]
    (style,) = [name for name, _ in page.elements if name == "style"]
    assert "url(" not in style


def test_a_report_is_readable_in_the_dark_and_on_a_phone(result, tmp_path):
    text = rp.report(result, tmp_path / "report.html").read_text()
    assert "prefers-color-scheme: dark" in text
    assert Page(text).all("meta")[1]["content"] == "width=device-width, initial-scale=1"


def test_a_report_has_every_number_of_the_table(page, result):
    header, rows = tables.rows_of(result)
    for cell in [*header, *(cell for row in rows for cell in row)]:
        assert " ".join(cell.split()) in page.text
    assert tables.title_of(result) in page.text
    assert result.attrs["theory_used"] in page.text
    assert result.attrs["note"].split("; ")[0] in page.text
    for package, version in result.provenance["versions"].items():
        assert f"{package} version {version}" in page.text
    assert result.provenance["machine"] in page.text


def test_every_measured_observable_has_a_figure_with_alternative_text(page, result):
    measured = [str(n) for n in result["observable"].values if np.isfinite(result["mean"].sel(observable=n)).any()]
    pictures = page.all("img")
    assert sorted(picture["alt"].split()[0] for picture in pictures) == sorted(measured)
    for picture in pictures:
        assert "100, 200" in picture["alt"]
        kind, _, data = picture["src"].partition(";base64,")
        begin = base64.b64decode(data)[:400]
        assert b"<svg" in begin or b"<?xml" in begin if kind.endswith("svg+xml") else begin.startswith(b"\x89PNG")


def test_a_curve_has_a_figure(tmp_path):
    result = rp.compare(ParallelRecall(steps=2), sizes=[60, 120], realizations=4)
    alternatives = [picture["alt"] for picture in Page(rp.report(result, tmp_path / "r.html").read_text()).all("img")]
    assert [text for text in alternatives if text.startswith("overlap_trajectory against its coordinate")]


def code_of(result, tmp_path):
    found = re.findall("<code>(.*?)</code>", rp.report(result, tmp_path / "r.html").read_text(), re.DOTALL)
    return [block.replace("&#x27;", "'").replace("&quot;", '"').replace("&gt;", ">") for block in found]


def test_command_and_lines_of_a_report_give_the_same_numbers(result, tmp_path, capsys):
    command, lines, bibtex = code_of(result, tmp_path)
    again = {}
    exec(lines, again)
    assert "from replicon.memory import Hopfield" in lines
    assert np.array_equal(again["result"]["mean"], result["mean"], equal_nan=True)
    program, *words = shlex.split(command)
    assert program == "replicon"
    capsys.readouterr()
    assert cli.run(words) == 0
    assert tables.with_error(
        float(result["mean"].sel(observable="energy", size=200)),
        float(result["standard_error"].sel(observable="energy", size=200)),
    ) in capsys.readouterr().out  # fmt: skip
    assert bibtex == rp.cite(Hopfield)


def test_options_that_are_no_defaults_are_repeated(tmp_path):
    result = rp.compare(Hopfield(load=0.1), sizes=[80], realizations=3, seed=1, theory="infinite", level=0.01)
    command, lines, _ = code_of(result, tmp_path)
    assert "--theory infinite --level 0.01" in command
    assert "theory='infinite', level=0.01" in lines


def test_a_system_of_no_catalogue_is_repeated_in_python_only(tmp_path):
    lines, bibtex = code_of(rp.compare(Coin(), sizes=[10, 20], realizations=3), tmp_path)
    assert "from tests.core.systems import Coin" in lines
    assert "@misc{replicon" in bibtex


def test_a_saved_comparison_is_the_same_and_gives_the_same_report(result, tmp_path):
    path = rp.save_result(result, tmp_path / "result.npz")
    again = rp.load_result(path)
    assert again.identical(result)
    assert repr(again) == repr(result)
    before, after = (rp.report(source, tmp_path / "r.html").read_text() for source in (result, path))
    images = re.compile(r'src="[^"]*"')
    assert images.sub("", before) == images.sub("", after)
    with pytest.raises(rp.StoreError, match="nothing is overwritten"):
        rp.save_result(result, path)


def test_a_file_cannot_choose_what_is_imported(result, tmp_path):
    changed = result.copy()
    changed.attrs["identity"] = result.attrs["identity"].replace(
        "replicon.memory.hopfield.model:Hopfield", "antigravity:x"
    )
    sys.modules.pop("antigravity", None)
    rp.report(changed, tmp_path / "r.html")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("make", [lambda folder: folder / "nothing", lambda folder: folder])
def test_what_is_no_comparison_is_refused(tmp_path, make):
    with pytest.raises(rp.StoreError):
        rp.report(make(tmp_path), tmp_path / "r.html")
    with pytest.raises(rp.DataError, match="dict"):
        rp.report({}, tmp_path / "r.html")


def test_a_report_that_cannot_be_written_is_an_error(result, tmp_path):
    with pytest.raises(rp.StoreError, match="cannot be written"):
        rp.report(result, tmp_path / "missing" / "r.html")


def test_every_text_is_escaped(result, tmp_path):
    bad = '<script>alert("x")</script>&'
    figure = Figure(figsize=(1, 1))
    section = Section(
        bad,
        (bad,),
        (Table([bad, bad], [[bad, bad]], bad),),
        (Picture(figure, bad, bad),),
        (Code(bad, bad),),
    )
    page = Page(render_page(bad, [bad], [section]))
    assert not page.all("script")
    assert page.all("img")[0]["alt"] == bad
    assert page.text.count(bad) == 13
    changed = result.copy()
    changed.attrs |= {"note": bad, "system": bad, "disagreeing": bad}
    assert bad in Page(rp.report(changed, tmp_path / "r.html").read_text()).text


def test_a_figure_with_many_patches_is_embedded_as_pixels():
    figure = Figure(figsize=(3, 3))
    figure.subplots().pcolormesh(np.arange(10_000.0).reshape(100, 100))
    assert 'src="data:image/png;base64,' in render_section(Section("Plane", pictures=(Picture(figure, "a plane"),)))


def test_report_is_callable_whatever_was_imported_first():
    import replicon.report
    from replicon.report import write_report

    assert callable(replicon.report)
    assert rp.report.__doc__
    assert write_report.__module__ == "replicon.report.document"


def test_digits_are_recalled_by_pinv_and_gardner_and_not_by_hebb():
    ((title, call), *_) = Hopfield.demonstrations()
    section = call()
    assert section.title == title
    rows = {row[0]: row[1:] for row in section.tables[0].rows}
    recalled = {rule: float(rows[rule][0].partition("(")[0]) for rule in demonstration.RULES}
    right = {rule: float(rows[rule][1].partition("(")[0]) for rule in ("damaged", *demonstration.RULES)}
    assert right["damaged"] == 54 / 64
    assert min(recalled["pinv"], recalled["gardner"]) > 0.9 > 0.1 > recalled["hebb"]
    assert min(right["pinv"], right["gardner"]) > right["damaged"] > right["hebb"]
    # One row of images for what was stored, for the damage and for each rule.
    assert len(section.pictures[0].figure.axes) == 10 * (2 + len(demonstration.RULES))


def test_digits_are_real_and_damaged_as_stated():
    digits = demonstration.load_digits()
    assert digits.shape == (10, 64)
    assert set(np.unique(digits)) == {0, 1}
    assert len(np.unique(digits, axis=0)) == 10
    cues, wanted = demonstration.damage(digits, rp.generator(0, "damage"))
    flipped = cues != digits[wanted]
    assert (flipped.sum(axis=1) == demonstration.DAMAGED_PIXELS).all()
    # Every pixel is hit equally often: 1000 draws of 10 out of 64.
    share = demonstration.DAMAGED_PIXELS / 64
    z = (flipped.sum(axis=0) - share * len(cues)) / np.sqrt(len(cues) * share * (1 - share))
    assert np.abs(z).max() < 4


def test_catalogue_finds_a_system_by_its_class():
    assert catalog.name_of(Hopfield) == "memory.hopfield"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "study.zarr"
    rp.sweep(
        Hopfield, load=[0.05, 0.1, 0.15], temperature=[0.0, 0.4], sizes=[60, 120], realizations=4, seed=5, store=path
    )
    return path


def test_report_of_a_stored_study(store, tmp_path):
    page = rp.report(store, tmp_path / "study.html").read_text()
    assert (
        "<script" not in page
        and "http" not in re.sub(r'src="[^"]*"|xmlns[^ ]*|10\.\d+/\S+', "", page).split("BibTeX")[0]
    )
    assert page.count("<img") == 9 and "overlap over load and temperature: theory as colour" in page
    study = rp.open_study(store)
    draws = study["overlap"].sel(load=0.1, temperature=0.0, size=120).values
    assert tables.with_error(draws.mean(), draws.std(ddof=1) / 2) in page
    assert "48 of 48 draws are done" in page and "@article{hopfield1982" in page


def test_lines_of_a_study_report_give_the_study_again(store, tmp_path):
    from replicon.report import study as sections

    study = rp.open_study(store)
    toml, python = (code.text for code in sections.reproduction(study, str(tmp_path / "again.zarr")).code)
    (tmp_path / "study.toml").write_text(toml)
    assert cli.run(["sweep", str(tmp_path / "study.toml")]) == 0
    namespace: dict = {}
    exec(python, namespace)
    assert np.array_equal(namespace["study"]["overlap"], study["overlap"])


def test_report_along_one_parameter_and_of_theory_alone(tmp_path):
    line = rp.sweep(Hopfield, load=[0.05, 0.1], sizes=[60], realizations=3, store=tmp_path / "line.zarr")
    page = rp.report(line, tmp_path / "line.html").read_text()
    assert "overlap against load, simulation with error bars at N = 60 and theory" in page
    rp.sweep(Hopfield, load=[0.05, 0.1], store=tmp_path / "theory.zarr")
    assert "Nothing was measured" in rp.report(tmp_path / "theory.zarr", tmp_path / "theory.html").read_text()


def test_report_command_for_a_run_and_a_store(store, tmp_path, capsys):
    target = tmp_path / "out.html"
    assert cli.run(["report", str(store), "--out", str(target)]) == 0
    assert target.read_text().startswith("<!")
    assert cli.run(["report", str(tmp_path / "nothing")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
