"""What all peers share: the exchange of files, tuning within a budget, and ranking.

A peer gives three things to `main`: its name, its candidates (settings, the library's own
defaults first) and `fit(train, settings, task)`, which returns a function from histories to
ranked items. It is run as `python PEER.py FOLDER`; FOLDER holds what is asked and takes the
answer:

    task.json                 k, budget_seconds, threads, seed, available_bytes
    trial_train.csr           what a candidate is fitted on, cut from the training part
    trial_histories.csr       what the users of the validation part are known by
    trial_held_out.csr        what is to be found of theirs
    train.csr, histories.csr  the whole training part, and what the tested users are known by
    lists.bin                 the answer: k little-endian u32 a tested user, padded with NOTHING
    report.json               settings, what was tried, seconds and bytes
"""

import gc
import json
import multiprocessing
import os
import random
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

NOTHING = 0xFFFFFFFF

# A block of scores takes at most so many bytes.
BLOCK_BYTES = 256 << 20

# How often a candidate under way is told of.
TICK_SECONDS = 1.0


def main(name, candidates, fit):
    """Tunes on the validation part, fits on the whole training part, and ranks."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    parent = os.dup(sys.stdin.fileno())
    end_with(parent)
    chosen = tune(name, candidates(task, shape_of(folder / "train.csr")), fit, folder, task, parent)

    train = read(folder / "train.csr")
    histories = read(folder / "histories.csr")
    gc.collect()
    count_peak_from_here()
    tell(f"{name}: fitting", 0, 1)
    start = time.perf_counter()
    rank = fit(train, chosen["settings"], task)
    chosen["fit_seconds"] = time.perf_counter() - start
    start = time.perf_counter()
    lists = in_blocks(rank, histories, task["k"], lambda done: tell(f"{name}: ranking", done, histories.shape[0]))
    chosen["rank_seconds"] = time.perf_counter() - start
    chosen["peak_bytes"] = peak_bytes()
    lists.astype("<u4").tofile(folder / "lists.bin")
    (folder / "report.json").write_text(json.dumps(chosen))


def tune(name, candidates, fit, folder, task, parent):
    """The best candidate by NDCG on the validation part, within the budget.

    The first candidate holds the library's defaults; the others come in an order drawn by the
    seed. Each runs in a process of its own, which is killed when the budget is over: no
    candidate outlives it, and none leaves memory behind that the fit would be charged for.
    """
    first, others = candidates[0], candidates[1:]
    random.Random(task["seed"]).shuffle(others)
    stage = f"{name}: tuning"
    budget = task["budget_seconds"]
    start = time.monotonic()
    best, best_ndcg, tried, failed = first, None, 0, 0
    for settings in [first, *others]:
        left = budget - (time.monotonic() - start)
        if left <= 0:
            break
        ndcg = attempt(fit, settings, folder, task, parent, stage, start)
        if ndcg is None:
            failed += 1
            continue
        tried += 1
        if best_ndcg is None or ndcg > best_ndcg:
            best, best_ndcg = settings, ndcg
    tell(stage, budget, budget)
    return {
        "settings": best,
        "candidates": len(candidates),
        "tried": tried,
        "failed": failed,
        "validation_ndcg": best_ndcg,
        "tune_seconds": time.monotonic() - start,
    }


def attempt(fit, settings, folder, task, parent, stage, start):
    """The NDCG of one candidate, or None if it failed or the budget was over before its end."""
    # Forked, so that nothing is imported or compiled again. No other thread computes by now.
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def work():
        end_with(parent)
        train = read(folder / "trial_train.csr")
        histories = read(folder / "trial_histories.csr")
        held_out = read(folder / "trial_held_out.csr")
        lists = in_blocks(fit(train, settings, task), histories, task["k"], lambda done: None)
        sender.send(mean_ndcg(lists, held_out))

    process = context.Process(target=work, daemon=True)
    process.start()
    sender.close()
    try:
        while True:
            spent = time.monotonic() - start
            tell(stage, min(spent, task["budget_seconds"]), task["budget_seconds"])
            left = task["budget_seconds"] - spent
            if left <= 0:
                return None
            if receiver.poll(min(left, TICK_SECONDS)):
                return receiver.recv()
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def mean_ndcg(lists, held_out):
    """NDCG with binary relevance; the ideal list holds min(k, held-out items) hits."""
    users, k = lists.shape
    gains = 1.0 / np.log2(np.arange(k) + 2.0)
    relevant = held_out.astype(bool).tolil(copy=False).rows
    totals = np.cumsum(gains)
    ndcgs = np.zeros(users)
    for user, items in enumerate(relevant):
        hits = np.isin(lists[user], items)
        ndcgs[user] = gains[hits].sum() / totals[min(k, len(items)) - 1]
    return float(ndcgs.mean())


def in_blocks(rank, histories, k, told):
    """Lists for all users, `users × k`; blocks bound the memory of dense scores."""
    users, items = histories.shape
    step = max(1, BLOCK_BYTES // (8 * max(items, 1)))
    lists = np.full((users, k), NOTHING, dtype=np.uint32)
    for begin in range(0, users, step):
        block = histories[begin : begin + step]
        lists[begin : begin + block.shape[0]] = rank(block, k)
        told(begin + block.shape[0])
    return lists


def best_items(scores, histories, k):
    """The k best items of dense scores, best first, without those of the histories.

    Overwrites the scores. Users without a history get an empty list: there is nothing to rank by.
    """
    users, items = scores.shape
    rows = np.repeat(np.arange(users), np.diff(histories.indptr))
    scores[rows, histories.indices] = -np.inf
    length = min(k, items)
    best = np.argpartition(scores, items - length, axis=1)[:, items - length :]
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1).astype(np.uint32)
    values = np.take_along_axis(values, order, axis=1)
    best[~np.isfinite(values) | (np.diff(histories.indptr) == 0)[:, None]] = NOTHING
    lists = np.full((users, k), NOTHING, dtype=np.uint32)
    lists[:, :length] = best
    return lists


def read(path):
    """A sparse matrix: u64 rows, columns and entries, u64 offsets, u32 columns, f32 values."""
    with open(path, "rb") as file:
        rows, columns, entries = (int(size) for size in np.fromfile(file, "<u8", 3))
        offsets = np.fromfile(file, "<u8", rows + 1).astype(np.int64)
        places = np.fromfile(file, "<u4", entries).astype(np.int32)
        values = np.fromfile(file, "<f4", entries)
    if entries < 2**31:
        offsets = offsets.astype(np.int32)
    matrix = sp.csr_matrix((values, places, offsets), shape=(rows, columns))
    matrix.sort_indices()
    return matrix


def shape_of(path):
    """Rows, columns and entries of a matrix in a file."""
    with open(path, "rb") as file:
        return tuple(int(size) for size in np.fromfile(file, "<u8", 3))


def tell(stage, done, total):
    """One line of progress."""
    print(f"{stage}\t{int(done)}\t{int(total)}", flush=True)


def end_with(parent):
    """Ends this process when the one that started it is gone, and its pipe with it."""

    def wait():
        while os.read(parent, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def count_peak_from_here():
    """Sets the peak of resident memory back to what is resident now, where Linux lets us."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_bytes():
    """The most memory that was resident at once: since `count_peak_from_here`, or ever."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
