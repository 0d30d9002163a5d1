"""Item neighbours by BM25, of `implicit`."""

from implicit.nearest_neighbours import BM25Recommender

import peer
import tuning
from cosine import fitted


def first(_task, _shape):
    # The library's defaults; then longer rows; 100 and 0.8 are those of its own examples.
    guesses = ((20, 1.2, 0.75), (100, 1.2, 0.5), (200, 0.4, 0.5), (50, 1.2, 0.5), (200, 5.0, 0.5), (100, 100.0, 0.8))
    return [{"K": k, "K1": k1, "B": b} for k, k1, b in guesses]


def space(_task, _shape):
    return {"K": tuning.count(5, 1000), "K1": tuning.ratio(0.02, 200.0), "B": tuning.share(0.0, 1.0)}


def fit(train, settings, task):
    return fitted(BM25Recommender(**settings, num_threads=task["threads"]), train)


if __name__ == "__main__":
    peer.main(first, space, fit)
