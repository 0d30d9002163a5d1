"""Reading one's own writes: which state of each reader this client has seen acknowledged."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from google.protobuf.message import Message

from foreword.v1 import MergeUsersRequest, MergeUsersResponse, RecordEventsRequest, RecordEventsResponse

USERS_MAX = 100_000


class Revisions:
    """The highest revision known of each reader, of those that came last.

    The client writes them down from what `record_events` and `merge_users` answer, and sends them with
    each question about the reader, so that whichever replica is asked knows the event. A website with
    several processes keeps them in the reader's session instead (`get`, `note`): a question that has
    a `user_revision` keeps the higher one.
    """

    def __init__(self, users_max: int = USERS_MAX) -> None:
        self._users_max = users_max
        self._of_user: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def get(self, user_id: str) -> int:
        """The highest revision known of a reader; 0 if none is."""
        with self._lock:
            return self._of_user.get(user_id, 0)

    def note(self, user_id: str, revision: int) -> None:
        """Remembers a revision, unless a higher one is known."""
        with self._lock:
            if revision >= self._of_user.get(user_id, 1):
                self._of_user[user_id] = revision
                self._of_user.move_to_end(user_id)
            if len(self._of_user) > self._users_max:
                self._of_user.popitem(last=False)

    def sent_with(self, request: Message) -> None:
        """Puts what is known of its reader into a question that asks for it."""
        if not {"user_id", "user_revision"}.issubset(request.DESCRIPTOR.fields_by_name):
            return
        user_id, revision = getattr(request, "user_id"), getattr(request, "user_revision")
        known = self.get(user_id)
        if isinstance(revision, int) and known > revision:
            setattr(request, "user_revision", known)

    def read_from(self, request: Message, response: Message) -> None:
        """Writes down what an answer acknowledges."""
        if isinstance(request, RecordEventsRequest) and isinstance(response, RecordEventsResponse):
            for entry, result in zip(request.entries, response.results):
                self.note(entry.event.user_id or entry.retraction.user_id, result.user_revision)
        elif isinstance(request, MergeUsersRequest) and isinstance(response, MergeUsersResponse):
            self.note(request.target_user_id, response.user_revision)
