"""Sources of dense associative memory."""

from replicon.core.references import Reference

KROTOV_HOPFIELD = Reference(
    key="krotov2016dense",
    authors="Krotov, Dmitry and Hopfield, John J.",
    title="Dense associative memory for pattern recognition",
    year=2016,
    journal="Adv. Neural Inf. Process. Syst.",
    volume="29",
    arxiv="1606.01164",
)
GARDNER = Reference(
    key="gardner1987multiconnected",
    authors="Gardner, E.",
    title="Multiconnected neural network models",
    year=1987,
    journal="J. Phys. A",
    volume="20",
    pages="3453",
    doi="10.1088/0305-4470/20/11/046",
)
ABBOTT_ARIAN = Reference(
    key="abbott1987storage",
    authors="Abbott, L. F. and Arian, Y.",
    title="Storage capacity of generalized networks",
    year=1987,
    journal="Phys. Rev. A",
    volume="36",
    pages="5091",
    doi="10.1103/PhysRevA.36.5091",
)
