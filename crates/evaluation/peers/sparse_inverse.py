"""SANSA: EASE by a sparse approximate inverse (Spišák et al. 2023), by its authors' library.

The library names two ways to factor: exactly, by CHOLMOD, for smaller and denser matrices, and
incompletely, by ICF, for large ones. Both are tried where the memory for the first is there.

This file cannot be called sansa.py: Python looks beside a script first, so that the library would
not be found behind it.
"""

import logging
import numpy as np

import peer
import tuning

logging.disable(logging.WARNING)

from sansa import (  # noqa: E402  (the library logs while it is imported)
    SANSA,
    CHOLMODGramianFactorizerConfig,
    ICFGramianFactorizerConfig,
    SANSAConfig,
    UMRUnitLowerTriangleInverterConfig,
)

FACTORIZERS = {"CHOLMOD": CHOLMODGramianFactorizerConfig, "ICF": ICFGramianFactorizerConfig}


def first(task, shape):
    items = shape[1]
    # l2 and density of the library's description; a density below 20 weights an item would
    # leave nothing to rank in a small catalogue. Then λ as for EASE, and denser weights.
    default = {"factorizer": ways(task, items)[0], "l2": 20.0, "weight_matrix_density": max(5e-5, density(20, items))}
    guesses = ((100.0, 100), (30.0, 100), (300.0, 100), (100.0, 300), (10.0, 100), (1000.0, 100))
    others = [
        {"factorizer": way, "l2": l2, "weight_matrix_density": density(weights, items)}
        for l2, weights in guesses
        for way in reversed(ways(task, items))
    ]
    return [default, *others]


def space(task, shape):
    items = shape[1]
    return {
        "factorizer": tuning.one_of(*ways(task, items)),
        "l2": tuning.ratio(1.0, 5000.0),
        "weight_matrix_density": tuning.ratio(density(20, items), density(1000, items)),
    }


def ways(task, items):
    """How the matrix may be factored."""
    available = task["available_bytes"]
    is_exact_possible = available is not None and exact_bytes(items) < available
    return ("CHOLMOD", "ICF") if is_exact_possible else ("ICF",)


def exact_bytes(items):
    """Memory for an exact factor: of a matrix of items it is about dense, and is copied twice."""
    return 3 * 8 * items * items


def notes(task, shape):
    if "CHOLMOD" in ways(task, shape[1]):
        return []
    available = task["available_bytes"]
    found = "an unknown amount" if available is None else f"{available / 1e9:.1f} GB"
    needed = exact_bytes(shape[1]) / 1e9
    return [f"CHOLMOD was left out: it needs {needed:.1f} GB of memory, found {found} available"]


def density(weights, items):
    """The density at which an item has so many weights."""
    return min(1.0, weights / items)


def fit(train, settings, _task):
    config = SANSAConfig(
        l2=settings["l2"],
        weight_matrix_density=settings["weight_matrix_density"],
        gramian_factorizer_config=FACTORIZERS[settings["factorizer"]](),
        lower_triangle_inverter_config=UMRUnitLowerTriangleInverterConfig(scans=1, finetune_steps=5),
    )
    model = SANSA(config).fit(train)

    def rank(histories, k):
        scores = model.forward(histories.astype(np.float32)).toarray()
        # Without a path from the history to an item there is no score, which is no score of 0.
        scores[scores == 0.0] = -np.inf
        return peer.best_items(scores, histories, k)

    return rank


if __name__ == "__main__":
    peer.main(first, space, fit, notes=notes)
