"""What the status of a Hopfield prediction says, bit by bit."""

from replicon.maths.solution import CONVERGED, NOT_CONVERGED

NO_RETRIEVAL_STATE = 2
REPLICA_SYMMETRY_UNSTABLE = 4
NO_SUCH_STATE = 8
OUT_OF_RANGE = 16

STATUS_TEXTS: dict[int, str] = {
    CONVERGED: "converged",
    NOT_CONVERGED: "not converged",
    NO_RETRIEVAL_STATE: "no retrieval state",
    REPLICA_SYMMETRY_UNSTABLE: "replica symmetry unstable",
    NO_SUCH_STATE: "this state does not exist here",
    OUT_OF_RANGE: "parameters outside the range of the theory",
}
"""Text of each bit; a status is the sum of the bits that apply."""


def status_text(status: int) -> str:
    """Words for a status: the texts of its bits, joined by commas.

    Examples
    --------
    >>> status_text(6)
    'no retrieval state, replica symmetry unstable'
    """
    if status == CONVERGED:
        return STATUS_TEXTS[CONVERGED]
    return ", ".join(text for bit, text in STATUS_TEXTS.items() if bit and int(status) & bit)
