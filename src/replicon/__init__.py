"""Replicon: the physics of learning, theory beside simulation.

Every public name is loaded when it is first used, so that ``import replicon`` costs nothing.
"""

from replicon.core.lazy import lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Claim": "replicon.core.claims",
        "Measurement": "replicon.core.claims",
        "boundary": "replicon.core.boundary",
        "claims": "replicon.core.claims",
        "collapse": "replicon.core.collapse",
        "verify": "replicon.core.verification",
        "Comparison": "replicon.core.comparison",
        "ConvergenceError": "replicon.core.errors",
        "DataError": "replicon.core.errors",
        "Footprint": "replicon.core.system",
        "Instance": "replicon.core.instance",
        "Observables": "replicon.core.observables",
        "ParameterError": "replicon.core.errors",
        "Reference": "replicon.core.references",
        "RepliconError": "replicon.core.errors",
        "ResourceError": "replicon.core.errors",
        "Scalar": "replicon.core.observables",
        "Curve": "replicon.core.observables",
        "Spectrum": "replicon.core.observables",
        "Solution": "replicon.maths.solution",
        "Status": "replicon.core.observables",
        "StoreError": "replicon.core.errors",
        "System": "replicon.core.system",
        "cite": "replicon.core.citation",
        "compare": "replicon.core.compare",
        "explore": "replicon.explorer.server",
        "generator": "replicon.core.seeds",
        "jax_key": "replicon.core.seeds",
        "noise_key": "replicon.core.seeds",
        "open_study": "replicon.core.store.reading",
        "study_status": "replicon.core.store.status",
        "load_instance": "replicon.core.saving",
        "load_result": "replicon.core.saving",
        "save_instance": "replicon.core.saving",
        "save_result": "replicon.core.saving",
        "sweep": "replicon.core.sweep.run",
        "SweepInterrupted": "replicon.core.sweep.run",
        "observable": "replicon.core.observables",
        "parameter": "replicon.core.parameters",
        "plot_parameter": "replicon.core.plotting",
        "plot_plane": "replicon.core.plotting",
        "predict": "replicon.core.prediction",
        "report": "replicon.report",
    },
)
