"""Random numbers inside the compiled loops: one xoshiro256++ stream per realisation.

A ``numpy.random.Generator`` called from a compiled loop goes through a function pointer at every number and cannot
be shared by realisations that run side by side; a single-spin update then costs 11 ns instead of 4 ns. The generator
is therefore used once per realisation, to draw the 256-bit state of a stream that lives in the loop, so that the
same generator state always gives the same bits.

References
----------
D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", ACM Trans. Math. Softw. 47, 36 (2021).
"""

import numpy as np
from numba import njit


def draw_streams(generator: np.random.Generator, count: int) -> np.ndarray:
    """Draw the states of `count` independent streams from a generator, which advances.

    Returns
    -------
    ndarray of uint64, shape (count, 4)
    """
    return generator.integers(0, 2**64, size=(count, 4), dtype=np.uint64)


@njit(cache=True)
def _rotate_left(word, bits):
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@njit(cache=True)
def next_word(stream):
    """Return 64 random bits and advance the stream (a uint64 array of four) in place."""
    word = _rotate_left(stream[0] + stream[3], 23) + stream[0]
    shifted = stream[1] << np.uint64(17)
    stream[2] ^= stream[0]
    stream[3] ^= stream[1]
    stream[1] ^= stream[2]
    stream[0] ^= stream[3]
    stream[2] ^= shifted
    stream[3] = _rotate_left(stream[3], 45)
    return word


@njit(cache=True)
def next_uniform(stream):
    """Return a float64 uniform on [0, 1) with 53 random bits."""
    return (next_word(stream) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def next_index(stream, bound):
    """Return an integer in [0, bound), bound < 2^32; the bias, below bound / 2^32, is far below any measurement."""
    return np.int64(((next_word(stream) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@njit(cache=True)
def shuffle(order, stream):
    """Permute an integer array uniformly in place (Fisher-Yates)."""
    for last in range(order.size - 1, 0, -1):
        other = next_index(stream, last + 1)
        order[last], order[other] = order[other], order[last]


@njit(cache=True)
def heat_bath_flips(stability, stream):
    """Tell whether the heat bath turns a spin over: probability 1 / (1 + exp(stability)).

    `stability` is 2 s_i h_i / T. The exponential is at least its Taylor polynomial for stability > 0, so most
    refusals are settled by the polynomial alone and the exponential, taken for the rest, changes no outcome.
    """
    uniform = next_uniform(stream)
    if stability > 0.0:
        bound = 1.0 + stability * (1.0 + stability * (1 / 2 + stability * (1 / 6 + stability / 24)))
        if uniform * (1.0 + bound) >= 1.0 + 1e-12:
            return False
    return uniform * (1.0 + np.exp(stability)) < 1.0
