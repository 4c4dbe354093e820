"""Handwritten digits recalled from damaged ones: what a Hopfield memory is for, and where Hebb's rule ends."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from replicon.core.sections import Demonstration, Picture, Section, Table
from replicon.core.seeds import generator
from replicon.core.tables import with_error
from replicon.memory.hopfield.memory import HopfieldMemory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 8
DAMAGED_PIXELS = 10
"""Of 64: 16 %."""
CUES = 100
"""Damaged copies of each digit."""
RULES = ("hebb", "pinv", "gardner")


def demonstrations() -> list[Demonstration]:
    """What ``replicon run memory.hopfield`` shows besides the comparison."""
    return [("Recall of handwritten digits", recall_digits), ("Phase diagram", show_phase_diagram)]


def show_phase_diagram() -> Section:
    """The plane of load and temperature with its four lines, and measured points on top."""
    from replicon.memory.hopfield.diagram import phase_diagram

    diagram = phase_diagram(simulation=True)
    text = (
        "Below T_M retrieval states exist, below T_c they have the lowest free energy, below T_g spins freeze in a "
        "spin glass, and below T_R replica symmetry, which all lines assume, does not hold in the retrieval state. "
        f"Circles are simulations at N = {int(diagram.points['size'])} that start at a pattern.",  # type: ignore[index]
    )
    alt = "Retrieval overlap as colour over load and temperature, lines T_g, T_M, T_c and T_R, circles of simulations"
    return Section("Phase diagram", text, pictures=(Picture(diagram.plot(), alt),))


def recall_digits(seed: int = 0) -> Section:
    """Store ten handwritten digits, one of each class, and recall them from copies with flipped pixels.

    Parameters
    ----------
    seed : int
        Of the damage.

    Returns
    -------
    Section
        Fraction of copies recalled without a wrong pixel, and of pixels right, by learning rule; the first damaged
        copy of each digit and what every rule makes of it.
    """
    digits = load_digits()
    cues, wanted = damage(digits, generator(seed, "damage"))
    originals = digits[wanted]
    rows = [["damaged", "", _mean_with_error((cues == originals).mean(axis=1))]]
    images = [("stored", digits), ("damaged", cues[::CUES])]
    for rule in RULES:
        recalled = HopfieldMemory(rule, random_state=0).fit(digits).transform(cues)
        right = recalled == originals
        rows.append([rule, _mean_with_error(right.all(axis=1)), _mean_with_error(right.mean(axis=1))])
        images.append((rule, recalled[::CUES]))
    text = (
        f"Ten handwritten digits (scikit-learn's load_digits, {SIDE} x {SIDE} pixels, black and white) are stored; "
        f"{CUES} copies of each, with {DAMAGED_PIXELS} of {SIDE * SIDE} pixels flipped, are run to a fixed point.",
        "Digits resemble one another. The crosstalk of such patterns drowns Hebb's rule, which random patterns at "
        f"this load ({len(digits)}/{SIDE * SIDE}) would bring to its limit as well; the projection rule (pinv) and "
        "the couplings of largest stability (gardner) store correlated patterns.",
    )
    table = Table(["rule", "digits recalled without error", "pixels right"], rows)
    alt = "Grid of digits: one column for each digit, rows stored, damaged, and recalled by " + ", ".join(RULES)
    return Section("Recall of handwritten digits", text, (table,), (Picture(_draw(images), alt),))


def load_digits() -> NDArray[np.int64]:
    """The first digit of each class, 0/1, shape (10, 64): grey values of 8 and more of 16 are black."""
    from sklearn import datasets

    images, classes = datasets.load_digits(return_X_y=True)
    first = [int(np.flatnonzero(classes == digit)[0]) for digit in range(10)]
    return np.asarray(np.asarray(images)[first] >= 8, dtype=np.int64)


def damage(digits: NDArray[np.int64], noise: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Copies with `DAMAGED_PIXELS` flipped, shape (10 CUES, 64), and which digit each was."""
    wanted = np.repeat(np.arange(len(digits)), CUES)
    order = noise.permuted(np.tile(np.arange(digits.shape[1]), (len(wanted), 1)), axis=1)
    cues = digits[wanted]
    np.put_along_axis(cues, order[:, :DAMAGED_PIXELS], 1 - np.take_along_axis(cues, order, 1)[:, :DAMAGED_PIXELS], 1)
    return cues, wanted


def _mean_with_error(values: NDArray) -> str:
    return with_error(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _draw(rows: list[tuple[str, NDArray[np.int64]]]) -> "Figure":
    from matplotlib.figure import Figure

    columns = len(rows[0][1])
    figure = Figure(figsize=(7.2, 0.78 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, images) in zip(axes, rows, strict=True):
        for panel, image in zip(line, images, strict=True):
            panel.imshow(image.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=1)
            panel.set_xticks([])
            panel.set_yticks([])
        line[0].set_ylabel(label, rotation=0, ha="right", va="center")
    return figure
