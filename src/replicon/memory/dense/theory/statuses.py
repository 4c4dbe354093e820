"""What the status of a prediction for a dense associative memory says, bit by bit."""

from replicon.maths.solution import CONVERGED, NOT_CONVERGED

NO_RETRIEVAL_STATE = 2
REPLICA_SYMMETRY_UNSTABLE = 4
OUTSIDE_BASIN = 8
OUT_OF_RANGE = 16
NOT_SOLVED = 32

STATUS_TEXTS: dict[int, str] = {
    CONVERGED: "converged",
    NOT_CONVERGED: "not converged",
    NO_RETRIEVAL_STATE: "no retrieval state",
    REPLICA_SYMMETRY_UNSTABLE: "replica symmetry unstable",
    OUTSIDE_BASIN: "the start is below the unstable state that bounds the basin of retrieval",
    OUT_OF_RANGE: "parameters outside the range of the theory",
    NOT_SOLVED: "rectified squares: their noise feeds back, and the equations are not solved here",
}
"""Text of each bit; a status is the sum of the bits that apply."""
