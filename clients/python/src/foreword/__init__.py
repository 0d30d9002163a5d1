"""Foreword's client: book recommendations, and what readers do, over gRPC.

The messages are those of the contract, in `foreword.v1`; `Client` has one method for each of its
methods, and `AsyncClient` the same for asyncio.

>>> from foreword import Client
>>> from foreword.v1 import RecommendRequest
>>> with Client("localhost:50051") as client:  # doctest: +SKIP
...     client.recommend(RecommendRequest(user_id="ann", max_results=3)).books
"""

from foreword._async_client import AsyncClient
from foreword._channel import Tls
from foreword._client import Client
from foreword._errors import (
    DeadlineExceededError,
    ForewordError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    Violation,
)
from foreword._retry import Retry
from foreword._revisions import Revisions

__all__ = [
    "AsyncClient",
    "Client",
    "DeadlineExceededError",
    "ForewordError",
    "InvalidRequestError",
    "NotFoundError",
    "PermissionDeniedError",
    "PreconditionError",
    "ResourceExhaustedError",
    "Retry",
    "Revisions",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "Violation",
]
