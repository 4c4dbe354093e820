"""From a function of scalars to a public one; shared by all fields in `replicon.maths.grids`."""

from replicon.maths.grids import pointwise

__all__ = ["pointwise"]
