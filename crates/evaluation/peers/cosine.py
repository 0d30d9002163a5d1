"""Item neighbours by cosine, of `implicit`."""

import numpy as np
from implicit.nearest_neighbours import CosineRecommender

import peer
import tuning


def first(_task, _shape):
    # 20 is the library's default.
    return [{"K": neighbours} for neighbours in (20, 100, 200, 50, 500)]


def space(_task, _shape):
    return {"K": tuning.count(5, 1000)}


def fit(train, settings, task):
    model = CosineRecommender(K=settings["K"], num_threads=task["threads"])
    return fitted(model, train)


def fitted(model, train):
    """Fits any of the library's item neighbours, and ranks as the library does."""
    model.fit(train.astype(np.float64), show_progress=False)

    def rank(histories, k):
        known = histories.astype(np.float64)
        items, scores = model.recommend(np.arange(known.shape[0]), known, N=k)
        return np.where((items >= 0) & (scores > 0.0), items, peer.NOTHING).astype(np.uint32)

    return rank


if __name__ == "__main__":
    peer.main(first, space, fit)
