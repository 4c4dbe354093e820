"""Sources of the theory of M-estimation."""

from replicon.core.references import Reference

ADVANI = Reference(
    key="advani2016",
    authors="Advani, Madhu and Ganguli, Surya",
    title="Statistical mechanics of optimal convex inference in high dimensions",
    year=2016,
    journal="Phys. Rev. X",
    volume="6",
    pages="031034",
    doi="10.1103/PhysRevX.6.031034",
)
ADVANI_BAYES = Reference(
    key="advani2016bayes",
    authors="Advani, Madhu and Ganguli, Surya",
    title="An equivalence between high dimensional Bayes optimal inference and M-estimation",
    year=2016,
    journal="Adv. Neural Inf. Process. Syst.",
    volume="29",
)
BEAN = Reference(
    key="bean2013",
    authors="Bean, Derek and Bickel, Peter J. and El Karoui, Noureddine and Yu, Bin",
    title="Optimal M-estimation in high-dimensional regression",
    year=2013,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="110",
    pages="14563",
    doi="10.1073/pnas.1307845110",
)
EL_KAROUI = Reference(
    key="elkaroui2013",
    authors="El Karoui, Noureddine and Bean, Derek and Bickel, Peter J. and Lim, Chinghway and Yu, Bin",
    title="On robust regression with high-dimensional predictors",
    year=2013,
    journal="Proc. Natl. Acad. Sci. USA",
    volume="110",
    pages="14557",
    doi="10.1073/pnas.1307842110",
)
