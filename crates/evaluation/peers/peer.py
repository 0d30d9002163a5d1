"""What all peers share: the exchange of files, and ranking.

A peer gives to `main` its first guesses (settings, the library's own defaults in front, then what
is likely to be good, what costs least first), the space that others are drawn from, and
`fit(train, settings, task)`, which returns a function from histories to ranked items. It is run
as `python PEER.py FOLDER`; FOLDER holds what is asked and takes the answer:

    task.json                 name, k, budget_seconds, threads, seed, available_bytes (null if unknown)
    trial_train.csr           what a candidate is fitted on, cut from the training part
    trial_histories.csr       what the users of the validation part are known by
    trial_held_out.csr        what is to be found of theirs
    train.csr, histories.csr  the whole training part, and what the tested users are known by
    lists.bin                 the answer: k little-endian u32 a tested user, padded with NOTHING
    report.json               settings, what was tried, seconds and bytes; or why nothing was
"""

import enum
import gc
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np
import scipy.sparse as sp

import tuning

NOTHING = 0xFFFFFFFF

# A block of scores takes at most so many bytes.
BLOCK_BYTES = 256 << 20


class Untried(enum.Enum):
    """What becomes of a peer of which no candidate ended within the budget."""

    HAS_DEFAULTS = enum.auto()
    IS_LEFT_OUT = enum.auto()


def main(first, space, fit, untried=Untried.HAS_DEFAULTS, notes=lambda task, shape: []):
    """Tunes on the validation part, fits on the whole training part, and ranks.

    `notes(task, shape)` says what of the peer was left out, and why.
    """
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    parent = os.dup(sys.stdin.fileno())
    end_with(parent)
    shape = shape_of(folder / "train.csr")
    name, budget = task["name"], task["budget_seconds"]
    judge = lambda settings: judged(fit, settings, folder, task, parent)
    progress = lambda spent: tell(f"{name}: tuning", spent, budget)
    tuned = tuning.tune(first(task, shape), space(task, shape), judge, task, progress)
    if tuned.tried == 0 and untried is Untried.IS_LEFT_OUT:
        (folder / "report.json").write_text(json.dumps({"skipped": why_untried(tuned, budget)}))
        return
    answer = {
        "settings": tuned.settings,
        "tried": tuned.tried,
        "failed": tuned.failed,
        "last_failure": tuned.last_failure,
        "is_given_up": tuned.is_given_up(),
        "is_cut_off": tuned.is_cut_off,
        "notes": notes(task, shape),
        "validation_ndcg": tuned.ndcg,
        "tune_seconds": tuned.seconds,
    }

    train = read(folder / "train.csr")
    histories = read(folder / "histories.csr")
    gc.collect()
    count_peak_from_here()
    tell(f"{name}: fitting", 0, 1)
    start = time.perf_counter()
    rank = fit(train, tuned.settings, task)
    answer["fit_seconds"] = time.perf_counter() - start
    start = time.perf_counter()
    lists = in_blocks(rank, histories, task["k"], lambda done: tell(f"{name}: ranking", done, histories.shape[0]))
    answer["rank_seconds"] = time.perf_counter() - start
    answer["peak_bytes"] = peak_bytes()
    lists.astype("<u4").tofile(folder / "lists.bin")
    (folder / "report.json").write_text(json.dumps(answer))


def why_untried(tuned, budget):
    """What to say of a peer that is left out."""
    if tuned.failed > 0:
        return f"every fit failed, the last with {tuned.last_failure}"
    return f"not one fit on the validation part ended within {budget:.0f} s; give it more with --peer-budget"


def judged(fit, settings, folder, task, parent):
    """What settings are worth on the validation part; in a process of their own."""
    end_with(parent)
    train = read(folder / "trial_train.csr")
    histories = read(folder / "trial_histories.csr")
    held_out = read(folder / "trial_held_out.csr")
    lists = in_blocks(fit(train, settings, task), histories, task["k"], lambda done: None)
    return tuning.quality_of(lists, held_out)


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
