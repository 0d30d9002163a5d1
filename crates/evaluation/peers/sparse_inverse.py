"""SANSA: EASE by a sparse approximate inverse (Spišák et al. 2023), by its authors' library.

The library names two ways to factor: exactly, by CHOLMOD, for smaller and denser matrices, and
incompletely, by ICF, for large ones. Both are tried where the memory for the first is there.
"""

import logging
from itertools import product

import numpy as np

import common

logging.disable(logging.WARNING)

from sansa import (  # noqa: E402  (the library logs while it is imported)
    SANSA,
    CHOLMODGramianFactorizerConfig,
    ICFGramianFactorizerConfig,
    SANSAConfig,
    UMRUnitLowerTriangleInverterConfig,
)

FACTORIZERS = {"CHOLMOD": CHOLMODGramianFactorizerConfig, "ICF": ICFGramianFactorizerConfig}


def candidates(task, shape):
    items = shape[1]
    # An exact factor of a matrix of items is about dense, and is copied twice.
    is_exact_possible = 3 * 8 * items * items < task["available_bytes"]
    ways = ("CHOLMOD", "ICF") if is_exact_possible else ("ICF",)
    # l2 and density of the library's description; a density below 20 weights an item would
    # leave nothing to rank in a small catalogue.
    first = {"factorizer": ways[0], "l2": 20.0, "weight_matrix_density": max(5e-5, share(20, items))}
    grid = product(ways, (5.0, 20.0, 100.0, 500.0), (50, 100, 200, 500))
    others = ((way, l2, share(weights, items)) for way, l2, weights in grid)
    return [first, *(dict(zip(first, values)) for values in others)]


def share(weights, items):
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
        return common.best_items(scores, histories, k)

    return rank


if __name__ == "__main__":
    common.main("SANSA", candidates, fit)
