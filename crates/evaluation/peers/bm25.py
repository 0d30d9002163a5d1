"""Item neighbours by BM25, of `implicit`."""

from itertools import product

from implicit.nearest_neighbours import BM25Recommender

import common
from cosine import fitted


def candidates(_task, _shape):
    # The library's defaults, then a grid; 100 and 0.8 are those of its own examples.
    grid = product((50, 100, 200, 500), (0.4, 1.2, 5.0, 100.0), (0.2, 0.5, 0.8))
    return [{"K": 20, "K1": 1.2, "B": 0.75}, *({"K": k, "K1": k1, "B": b} for k, k1, b in grid)]


def fit(train, settings, task):
    return fitted(BM25Recommender(**settings, num_threads=task["threads"]), train)


if __name__ == "__main__":
    common.main("implicit BM25", candidates, fit)
