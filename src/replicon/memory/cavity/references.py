"""Sources of the confocal cavity memory."""

from replicon.core.references import Reference

MARSH_2021 = Reference(
    key="marsh2021enhancing",
    authors=(
        "Marsh, Brendan P. and Guo, Yudan and Kroeze, Ronen M. and Gopalakrishnan, Sarang and Ganguli, Surya and "
        "Keeling, Jonathan and Lev, Benjamin L."
    ),
    title="Enhancing associative memory recall and storage capacity using confocal cavity QED",
    year=2021,
    journal="Phys. Rev. X",
    volume="11",
    pages="021048",
    doi="10.1103/PhysRevX.11.021048",
    arxiv="2009.01227",
)
