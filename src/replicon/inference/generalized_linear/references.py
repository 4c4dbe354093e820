"""Sources of generalised linear estimation."""

from replicon.core.references import Reference

AUBIN = Reference(
    key="aubin2020generalization",
    authors="Aubin, Benjamin and Krzakala, Florent and Lu, Yue M. and Zdeborova, Lenka",
    title="Generalization error in high-dimensional perceptrons: Approaching Bayes error with convex optimization",
    year=2020,
    journal="Adv. Neural Inf. Process. Syst.",
    volume="33",
    pages="12199",
    arxiv="2006.06560",
)
BARBIER = Reference(
    key="barbier2019optimal",
    authors="Barbier, Jean and Krzakala, Florent and Macris, Nicolas and Miolane, Leo and Zdeborova, Lenka",
    title="Optimal errors and phase transitions in high-dimensional generalized linear models",
    year=2019,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="116",
    pages="5451",
    doi="10.1073/pnas.1802705116",
    arxiv="1708.03395",
)
MONTANARI = Reference(
    key="montanari2019generalization",
    authors="Montanari, Andrea and Ruan, Feng and Sohn, Youngtak and Yan, Jun",
    title="The generalization error of max-margin linear classifiers",
    year=2019,
    arxiv="1911.01544",
)
