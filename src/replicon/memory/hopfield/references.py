"""Sources of the Hopfield model."""

from replicon.core.references import Reference

HOPFIELD = Reference(
    key="hopfield1982",
    authors="Hopfield, J. J.",
    title="Neural networks and physical systems with emergent collective computational abilities",
    year=1982,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="79",
    pages="2554",
    doi="10.1073/pnas.79.8.2554",
)
AMIT_1985A = Reference(
    key="amit1985spin",
    authors="Amit, Daniel J. and Gutfreund, Hanoch and Sompolinsky, H.",
    title="Spin-glass models of neural networks",
    year=1985,
    journal="Phys. Rev. A",
    volume="32",
    pages="1007",
    doi="10.1103/PhysRevA.32.1007",
)
AMIT_1985B = Reference(
    key="amit1985storing",
    authors="Amit, Daniel J. and Gutfreund, Hanoch and Sompolinsky, H.",
    title="Storing infinite numbers of patterns in a spin-glass model of neural networks",
    year=1985,
    journal="Phys. Rev. Lett.",
    volume="55",
    pages="1530",
    doi="10.1103/PhysRevLett.55.1530",
)
AMIT_1987 = Reference(
    key="amit1987statistical",
    authors="Amit, Daniel J. and Gutfreund, Hanoch and Sompolinsky, H.",
    title="Statistical mechanics of neural networks near saturation",
    year=1987,
    journal="Ann. Phys.",
    volume="173",
    pages="30",
    doi="10.1016/0003-4916(87)90092-3",
)
AMARI_MAGINU = Reference(
    key="amari1988statistical",
    authors="Amari, Shun-ichi and Maginu, Kenjiro",
    title="Statistical neurodynamics of associative memory",
    year=1988,
    journal="Neural Networks",
    volume="1",
    pages="63",
    doi="10.1016/0893-6080(88)90022-6",
)
KANTER_SOMPOLINSKY = Reference(
    key="kanter1987associative",
    authors="Kanter, I. and Sompolinsky, H.",
    title="Associative recall of memory without errors",
    year=1987,
    journal="Phys. Rev. A",
    volume="35",
    pages="380",
    doi="10.1103/PhysRevA.35.380",
)
GARDNER = Reference(
    key="gardner1988space",
    authors="Gardner, E.",
    title="The space of interactions in neural network models",
    year=1988,
    journal="J. Phys. A",
    volume="21",
    pages="257",
    doi="10.1088/0305-4470/21/1/030",
)
