"""Matrix factorisation by alternating least squares, of `implicit`.

Hu, Koren and Volinsky 2008. Users are folded in by their histories, whether or not they were
learnt from.
"""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

import peer
import tuning


def first(_task, _shape):
    # The library's defaults; then more weight on what is there, and more regularisation with it:
    guesses = (
        (100, 0.01, 1.0),
        (128, 10.0, 40.0),
        (64, 1.0, 10.0),
        (256, 10.0, 40.0),
        (128, 1.0, 10.0),
        (256, 1.0, 20.0),
    )
    names = ("factors", "regularization", "alpha")
    return [{**dict(zip(names, values)), "iterations": 15} for values in guesses]


def space(_task, _shape):
    return {
        "factors": tuning.one_of(64, 96, 128, 192, 256, 320),
        "regularization": tuning.ratio(1e-3, 100.0),
        "alpha": tuning.ratio(0.5, 100.0),
        "iterations": tuning.one_of(8, 15, 30),
    }


def fit(train, settings, task):
    # It has threads of its own, and asks for BLAS to have one.
    threadpool_limits(1, "blas")
    model = AlternatingLeastSquares(**settings, num_threads=task["threads"], random_state=task["seed"])
    model.fit(train, show_progress=False)

    def rank(histories, k):
        users = np.arange(histories.shape[0])
        items, scores = model.recommend(users, histories, N=k, recalculate_user=True)
        # An item of the history has the lowest number of all for a score.
        is_ranked = (items >= 0) & (scores > np.finfo(np.float32).min / 2)
        is_ranked &= (np.diff(histories.indptr) > 0)[:, None]
        return np.where(is_ranked, items, peer.NOTHING).astype(np.uint32)

    return rank


if __name__ == "__main__":
    peer.main(first, space, fit)
