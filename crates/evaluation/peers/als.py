"""Matrix factorisation by alternating least squares, of `implicit`.

Hu, Koren and Volinsky 2008. Users are folded in by their histories, whether or not they were
learnt from.
"""

from itertools import product

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

import common


def candidates(_task, _shape):
    # The library's defaults, then a grid.
    defaults = {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15}
    grid = product((64, 128, 256), (0.01, 0.1, 1.0, 10.0), (1.0, 5.0, 20.0), (15, 30))
    return [defaults, *(dict(zip(defaults, values)) for values in grid)]


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
        return np.where(is_ranked, items, common.NOTHING).astype(np.uint32)

    return rank


if __name__ == "__main__":
    common.main("implicit ALS", candidates, fit)
