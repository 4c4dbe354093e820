"""Sources of message passing."""

from replicon.core.references import Reference

DONOHO = Reference(
    key="donoho2009message",
    authors="Donoho, David L. and Maleki, Arian and Montanari, Andrea",
    title="Message-passing algorithms for compressed sensing",
    year=2009,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="106",
    pages="18914",
    doi="10.1073/pnas.0909892106",
)
BAYATI = Reference(
    key="bayati2011dynamics",
    authors="Bayati, Mohsen and Montanari, Andrea",
    title="The dynamics of message passing on dense graphs, with applications to compressed sensing",
    year=2011,
    journal="IEEE Trans. Inf. Theory",
    volume="57",
    pages="764",
    doi="10.1109/TIT.2010.2094817",
)
RANGAN_2019 = Reference(
    key="rangan2019vector",
    authors="Rangan, Sundeep and Schniter, Philip and Fletcher, Alyson K.",
    title="Vector approximate message passing",
    year=2019,
    journal="IEEE Trans. Inf. Theory",
    volume="65",
    pages="6664",
    arxiv="1610.03082",
)
