"""Tuning within a budget: first guesses in a peer's own order, then draws from its space.

A space names each setting with a function that draws it: from all of its range, or near the best
value so far. Random search finds what grids of the same size miss (Bergstra and Bengio 2012,
Random search for hyper-parameter optimization); every second draw stays near the best.

Each candidate runs in a process of its own, which is killed when the budget is over: none outlives
it, and none leaves memory behind that the fit would be charged for.
"""

import math
import multiprocessing
import random
import time

import numpy as np

# How often a candidate under way is told of.
TICK_SECONDS = 1.0

# A peer of which so many candidates failed, and none did not, will fail with others.
FAILURES_MAX = 5

# So many draws in a row that were tried before: there is nothing new to try.
REPEATS_MAX = 50


def ratio(low, high):
    """A setting of which every doubling is as likely as any other."""

    def draw(chance, near):
        if near is None:
            return math.exp(chance.uniform(math.log(low), math.log(high)))
        return min(max(near * math.exp(chance.gauss(0.0, 0.5)), low), high)

    return lambda chance, near: float(f"{draw(chance, near):.3g}")


def count(low, high):
    """The same for a whole number."""
    draw = ratio(low, high)
    return lambda chance, near: round(draw(chance, near))


def share(low, high):
    """A setting of which all values are as likely."""

    def draw(chance, near):
        value = chance.uniform(low, high) if near is None else near + chance.gauss(0.0, (high - low) / 8)
        return round(min(max(value, low), high), 3)

    return draw


def one_of(*values):
    """One of a few values."""
    return lambda chance, _near: chance.choice(values)


def drawn(space, chance, best):
    """New settings: all of them anew, or the best with one or two of them moved."""
    if best is None or chance.random() < 0.5:
        return {name: draw(chance, None) for name, draw in space.items()}
    moved = chance.sample(list(space), min(len(space), chance.choice((1, 2))))
    return {name: space[name](chance, value) if name in moved else value for name, value in best.items()}


class Tuning:
    """What tuning came to."""

    def __init__(self, first):
        self.settings = first
        self.quality = None
        self.ndcg = None
        self.tried = 0
        self.failed = 0
        self.last_failure = None
        self.is_cut_off = False
        self.seconds = 0.0

    def is_given_up(self):
        """Whether it is not worth trying others."""
        return self.tried == 0 and self.failed >= FAILURES_MAX

    def take(self, settings, outcome):
        """Counts a candidate, which may be the best so far."""
        if isinstance(outcome, str):
            self.failed += 1
            self.last_failure = outcome
            return
        self.tried += 1
        quality, ndcg = outcome
        if self.quality is None or quality > self.quality:
            self.settings, self.quality, self.ndcg = settings, quality, ndcg


def tune(first, space, judge, task, tell):
    """The best candidate within the budget.

    `judge(settings)` is run in another process and returns quality and NDCG; `tell(seconds)` says
    how much of the budget is used. The first candidate holds the library's defaults.
    """
    chance, start, budget = random.Random(task["seed"]), time.monotonic(), task["budget_seconds"]
    best, seen, waiting, repeats = Tuning(first[0]), [], list(first), 0
    while not best.is_given_up() and repeats < REPEATS_MAX:
        if time.monotonic() - start >= budget:
            break
        near = best.settings if best.tried > 0 else None
        settings = waiting.pop(0) if waiting else drawn(space, chance, near)
        if settings in seen:
            repeats += 1
            continue
        repeats = 0
        seen.append(settings)
        outcome = attempt(lambda: judge(settings), start, budget, tell)
        if outcome is None:
            best.is_cut_off = True
            break
        best.take(settings, outcome)
    tell(budget)
    best.seconds = time.monotonic() - start
    return best


def attempt(work, start, budget, tell):
    """What the work returns; as a text, why it failed; None if the budget was over before its end."""
    # Forked, so that nothing is imported or compiled again. No other thread computes by now.
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run():
        try:
            sender.send(work())
        except Exception as error:  # Whatever a library raises is this candidate's end alone.
            sender.send(f"{type(error).__name__}: {error}")

    process = context.Process(target=run, daemon=True)
    process.start()
    sender.close()
    try:
        while True:
            spent = time.monotonic() - start
            tell(min(spent, budget))
            if spent >= budget:
                return None
            if receiver.poll(min(budget - spent, TICK_SECONDS)):
                return receiver.recv()
    except EOFError:
        return "its process was ended, as it is where memory is lacking"
    finally:
        process.kill()
        process.join()


def quality_of(lists, held_out):
    """The geometric mean of NDCG and recall, which ours is tuned by too, and NDCG alone.

    Both with binary relevance; the ideal list of NDCG holds min(k, held-out items) hits.
    """
    k, items = lists.shape[1], held_out.shape[1]
    wanted = np.diff(held_out.indptr)
    users = np.arange(len(wanted), dtype=np.int64)
    # An item of a user as one number; places without an item are those of no item.
    is_there = lists < items
    listed = users[:, None] * items + np.where(is_there, lists, 0)
    hits = np.isin(listed, np.repeat(users, wanted) * items + held_out.indices) & is_there
    gains = 1.0 / np.log2(np.arange(k) + 2.0)
    ndcg = float((hits @ gains / np.cumsum(gains)[np.minimum(wanted, k) - 1]).mean())
    recall = float((hits.sum(axis=1) / wanted).mean())
    return math.sqrt(ndcg * recall), ndcg
