"""Dense EASE in numpy: Steck 2019, Embarrassingly shallow autoencoders for sparse data.

With P = (XᵀX + λI)⁻¹, column j of B is −P_j / P_jj, and its diagonal is zero. One matrix of
items × items in single precision is factored and inverted in place.
"""

import numpy as np
from scipy.linalg import lapack

import peer
import tuning

# Rows that are computed, or mirrored, at once.
STEP = 1024


def first(_task, _shape):
    # The paper chose 200 to 1000; data of fewer users like less, sparse data more.
    return [{"lambda": value} for value in (100.0, 300.0, 30.0, 1000.0, 10.0, 3000.0)]


def space(_task, _shape):
    return {"lambda": tuning.ratio(1.0, 20_000.0)}


def fit(train, settings, _task):
    gram = gram_of(train)
    diagonal = np.einsum("ii->i", gram)
    diagonal += settings["lambda"]
    # It is symmetric, and its transpose has the layout that sparse products want.
    weights = inverse(gram).T
    weights /= -np.einsum("ii->i", weights).copy()
    np.einsum("ii->i", weights)[:] = 0.0

    def rank(histories, k):
        return peer.best_items(histories.astype(np.float32) @ weights, histories, k)

    return rank


def inverse(matrix):
    """The inverse of a positive definite matrix, in its place."""
    factor, trouble = lapack.spotrf(matrix, lower=1, overwrite_a=1, clean=0)
    if trouble == 0:
        factor, trouble = lapack.spotri(factor, lower=1, overwrite_c=1)
    if trouble != 0:
        raise ArithmeticError(f"LAPACK says {trouble}: the matrix is not positive definite")
    mirror(factor)
    return factor


def gram_of(train):
    """XᵀX, dense, in the column order of LAPACK."""
    by_user = train.astype(np.float32)
    by_item = by_user.T.tocsr()
    items = train.shape[1]
    gram = np.empty((items, items), dtype=np.float32, order="F")
    for begin in range(0, items, STEP):
        end = min(begin + STEP, items)
        (by_item[begin:end] @ by_user).toarray(out=gram.T[begin:end])
    return gram


def mirror(matrix):
    """Copies the lower triangle into the upper one, without a second matrix."""
    size = matrix.shape[0]
    for begin in range(0, size, STEP):
        end = min(begin + STEP, size)
        matrix[begin:end, end:] = matrix[end:, begin:end].T
        corner = matrix[begin:end, begin:end]
        corner[:] = np.tril(corner) + np.tril(corner, -1).T


if __name__ == "__main__":
    peer.main(first, space, fit, peer.Untried.IS_LEFT_OUT)
