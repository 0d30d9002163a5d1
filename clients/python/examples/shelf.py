"""Asks for a reader's shelf, buys its first book, and asks again. `foreword demo` starts a service."""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterable

from foreword import Client, DeadlineExceededError, ForewordError, UnavailableError
from foreword.v1 import Event, EventEntry, EventKind, RecommendedBook, RecommendRequest, RecordEventsRequest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", nargs="?", default="localhost:50051", metavar="HOST:PORT")
    parser.add_argument("reader", nargs="?", default="1")
    arguments = parser.parse_args()
    target, reader = arguments.target, arguments.reader
    # A page does not wait for long: after this, attempts included, it shows something else.
    with Client(target, timeout=2.0) as client:
        try:
            shelf = client.recommend(RecommendRequest(user_id=reader, max_results=5))
            show("Picked for you", shelf.books)
            if not shelf.books:
                raise ValueError("the shelf is empty")
            bought = buy(client, reader, shelf.books[0], shelf.attribution_token)
            # The client knows the revision of what was acknowledged and sends it along, so whichever
            # replica answers knows of the purchase.
            changed = client.recommend(RecommendRequest(user_id=reader, max_results=5))
        except (UnavailableError, DeadlineExceededError) as error:
            print(f"The service is away ({error.code.name}): the page shows its bestsellers.")
            return 0
        except ForewordError as error:
            print(f"refused: {error} (reason {error.reason}, request {error.request_id})", file=sys.stderr)
            return 1
        except ValueError as error:
            print(f"refused: {error}", file=sys.stderr)
            return 1
        show("Picked for you, now", changed.books)
        gone = bought not in [found.book.id for found in changed.books]
        print(f"Revision {changed.user_revision}: what was bought is {'gone' if gone else 'still there'}.")
        return 0 if gone else 1


def buy(client: Client, reader: str, found: RecommendedBook, token: str) -> str:
    # The id belongs to the purchase: sent again, it counts once.
    event = Event(
        event_id=f"order-{uuid.uuid4()}",
        user_id=reader,
        book_id=found.book.id,
        kind=EventKind.EVENT_KIND_PURCHASE,
        attribution_token=token,
    )
    result = client.record_events(RecordEventsRequest(entries=[EventEntry(event=event)])).results[0]
    if result.violations:
        raise ValueError(f"{result.violations}")
    print(f"Bought {found.book.title!r}.")
    return found.book.id


def show(heading: str, books: Iterable[RecommendedBook]) -> None:
    print(f"{heading}:")
    for place, found in enumerate(books, start=1):
        print(f"  {place}. {found.book.title}")


if __name__ == "__main__":
    sys.exit(main())
