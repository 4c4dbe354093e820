"""Sources of exponential associative memory."""

from replicon.core.references import Reference

DEMIRCIGIL = Reference(
    key="demircigil2017huge",
    authors="Demircigil, Mete and Heusel, Judith and Löwe, Matthias and Upgang, Sven and Vermet, Franck",
    title="On a model of associative memory with huge storage capacity",
    year=2017,
    journal="J. Stat. Phys.",
    volume="168",
    pages="288",
    doi="10.1007/s10955-017-1806-y",
    arxiv="1702.01929",
)
LUCIBELLO_MEZARD = Reference(
    key="lucibello2024exponential",
    authors="Lucibello, Carlo and Mézard, Marc",
    title="Exponential capacity of dense associative memories",
    year=2024,
    journal="Phys. Rev. Lett.",
    volume="132",
    pages="077301",
    doi="10.1103/PhysRevLett.132.077301",
    arxiv="2304.14964",
)
