import datetime

from foreword.v1 import book_pb2 as _book_pb2
from foreword.v1 import event_pb2 as _event_pb2
from foreword.v1 import filter_pb2 as _filter_pb2
from foreword.v1 import model_pb2 as _model_pb2
from foreword.v1 import recommendation_service_pb2 as _recommendation_service_pb2
from foreword.v1 import rule_pb2 as _rule_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchMetricsRequest(_message.Message):
    __slots__ = ("interval",)
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    interval: _duration_pb2.Duration
    def __init__(self, interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchMetricsResponse(_message.Message):
    __slots__ = ("sample",)
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    sample: MetricsSample
    def __init__(self, sample: _Optional[_Union[MetricsSample, _Mapping]] = ...) -> None: ...

class MetricsSample(_message.Message):
    __slots__ = ("sample_time", "start_time", "methods", "open_call_count", "stored_event_count", "queues", "fallbacks", "stall_count", "model", "news_event_count", "training", "book_count")
    SAMPLE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    OPEN_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    STORED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    STALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    NEWS_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    BOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    sample_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    methods: _containers.RepeatedCompositeFieldContainer[MethodFigures]
    open_call_count: int
    stored_event_count: int
    queues: _containers.RepeatedCompositeFieldContainer[QueueFigures]
    fallbacks: _containers.RepeatedCompositeFieldContainer[FallbackFigures]
    stall_count: int
    model: _model_pb2.Model
    news_event_count: int
    training: bool
    book_count: int
    def __init__(self, sample_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., methods: _Optional[_Iterable[_Union[MethodFigures, _Mapping]]] = ..., open_call_count: _Optional[int] = ..., stored_event_count: _Optional[int] = ..., queues: _Optional[_Iterable[_Union[QueueFigures, _Mapping]]] = ..., fallbacks: _Optional[_Iterable[_Union[FallbackFigures, _Mapping]]] = ..., stall_count: _Optional[int] = ..., model: _Optional[_Union[_model_pb2.Model, _Mapping]] = ..., news_event_count: _Optional[int] = ..., training: _Optional[bool] = ..., book_count: _Optional[int] = ...) -> None: ...

class MethodFigures(_message.Message):
    __slots__ = ("method", "codes", "latency")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    method: str
    codes: _containers.RepeatedCompositeFieldContainer[CodeCount]
    latency: LatencyHistogram
    def __init__(self, method: _Optional[str] = ..., codes: _Optional[_Iterable[_Union[CodeCount, _Mapping]]] = ..., latency: _Optional[_Union[LatencyHistogram, _Mapping]] = ...) -> None: ...

class CodeCount(_message.Message):
    __slots__ = ("code", "count")
    CODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    code: str
    count: int
    def __init__(self, code: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class LatencyHistogram(_message.Message):
    __slots__ = ("upper_bounds_seconds", "counts", "sum_seconds")
    UPPER_BOUNDS_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    upper_bounds_seconds: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    sum_seconds: float
    def __init__(self, upper_bounds_seconds: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., sum_seconds: _Optional[float] = ...) -> None: ...

class QueueFigures(_message.Message):
    __slots__ = ("name", "waiting_count", "capacity")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WAITING_COUNT_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    name: str
    waiting_count: int
    capacity: int
    def __init__(self, name: _Optional[str] = ..., waiting_count: _Optional[int] = ..., capacity: _Optional[int] = ...) -> None: ...

class FallbackFigures(_message.Message):
    __slots__ = ("fallback", "count")
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    fallback: _recommendation_service_pb2.Fallback
    count: int
    def __init__(self, fallback: _Optional[_Union[_recommendation_service_pb2.Fallback, str]] = ..., count: _Optional[int] = ...) -> None: ...

class ListStallsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListStallsResponse(_message.Message):
    __slots__ = ("stalls",)
    STALLS_FIELD_NUMBER: _ClassVar[int]
    stalls: _containers.RepeatedCompositeFieldContainer[Stall]
    def __init__(self, stalls: _Optional[_Iterable[_Union[Stall, _Mapping]]] = ...) -> None: ...

class Stall(_message.Message):
    __slots__ = ("method", "kind", "system_call", "system_call_target", "function", "file", "line", "duration", "ended", "stack", "seen_time")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Stall.Kind]
        KIND_BLOCKED: _ClassVar[Stall.Kind]
        KIND_BUSY: _ClassVar[Stall.Kind]
        KIND_PAGING: _ClassVar[Stall.Kind]
        KIND_UNKNOWN: _ClassVar[Stall.Kind]
        KIND_HOST_STARVED: _ClassVar[Stall.Kind]
    KIND_UNSPECIFIED: Stall.Kind
    KIND_BLOCKED: Stall.Kind
    KIND_BUSY: Stall.Kind
    KIND_PAGING: Stall.Kind
    KIND_UNKNOWN: Stall.Kind
    KIND_HOST_STARVED: Stall.Kind
    METHOD_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_CALL_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_CALL_TARGET_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    STACK_FIELD_NUMBER: _ClassVar[int]
    SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    method: str
    kind: Stall.Kind
    system_call: str
    system_call_target: str
    function: str
    file: str
    line: int
    duration: _duration_pb2.Duration
    ended: bool
    stack: _containers.RepeatedScalarFieldContainer[str]
    seen_time: _timestamp_pb2.Timestamp
    def __init__(self, method: _Optional[str] = ..., kind: _Optional[_Union[Stall.Kind, str]] = ..., system_call: _Optional[str] = ..., system_call_target: _Optional[str] = ..., function: _Optional[str] = ..., file: _Optional[str] = ..., line: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., ended: _Optional[bool] = ..., stack: _Optional[_Iterable[str]] = ..., seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListReplicasRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReplicasResponse(_message.Message):
    __slots__ = ("replicas",)
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    replicas: _containers.RepeatedCompositeFieldContainer[Replica]
    def __init__(self, replicas: _Optional[_Iterable[_Union[Replica, _Mapping]]] = ...) -> None: ...

class Replica(_message.Message):
    __slots__ = ("name", "address", "start_time", "answering")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    ANSWERING_FIELD_NUMBER: _ClassVar[int]
    name: str
    address: str
    start_time: _timestamp_pb2.Timestamp
    answering: bool
    def __init__(self, name: _Optional[str] = ..., address: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answering: _Optional[bool] = ...) -> None: ...

class ExplainRecommendRequest(_message.Message):
    __slots__ = ("user_id", "history", "filter", "max_results", "user_revision", "draft_rules")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    DRAFT_RULES_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    history: _containers.RepeatedCompositeFieldContainer[_event_pb2.HistoryItem]
    filter: _filter_pb2.BookFilter
    max_results: int
    user_revision: int
    draft_rules: DraftRules
    def __init__(self, user_id: _Optional[str] = ..., history: _Optional[_Iterable[_Union[_event_pb2.HistoryItem, _Mapping]]] = ..., filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., max_results: _Optional[int] = ..., user_revision: _Optional[int] = ..., draft_rules: _Optional[_Union[DraftRules, _Mapping]] = ...) -> None: ...

class DraftRules(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    def __init__(self, rules: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ...) -> None: ...

class ExplainRecommendResponse(_message.Message):
    __slots__ = ("history", "current", "draft", "books", "model_version", "fallback", "user_revision", "stale")
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    history: _containers.RepeatedCompositeFieldContainer[HistoryWeight]
    current: Explanation
    draft: Explanation
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    model_version: str
    fallback: _recommendation_service_pb2.Fallback
    user_revision: int
    stale: bool
    def __init__(self, history: _Optional[_Iterable[_Union[HistoryWeight, _Mapping]]] = ..., current: _Optional[_Union[Explanation, _Mapping]] = ..., draft: _Optional[_Union[Explanation, _Mapping]] = ..., books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., model_version: _Optional[str] = ..., fallback: _Optional[_Union[_recommendation_service_pb2.Fallback, str]] = ..., user_revision: _Optional[int] = ..., stale: _Optional[bool] = ...) -> None: ...

class HistoryWeight(_message.Message):
    __slots__ = ("book_id", "event_kind", "rating", "weight", "in_model")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    IN_MODEL_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    event_kind: _event_pb2.EventKind
    rating: float
    weight: float
    in_model: bool
    def __init__(self, book_id: _Optional[str] = ..., event_kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., rating: _Optional[float] = ..., weight: _Optional[float] = ..., in_model: _Optional[bool] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("candidates", "steps", "shelf")
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SHELF_FIELD_NUMBER: _ClassVar[int]
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    steps: _containers.RepeatedCompositeFieldContainer[RerankStep]
    shelf: _containers.RepeatedCompositeFieldContainer[_recommendation_service_pb2.RecommendedBook]
    def __init__(self, candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[RerankStep, _Mapping]]] = ..., shelf: _Optional[_Iterable[_Union[_recommendation_service_pb2.RecommendedBook, _Mapping]]] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("book_id", "score", "parts")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    score: float
    parts: _containers.RepeatedCompositeFieldContainer[ScorePart]
    def __init__(self, book_id: _Optional[str] = ..., score: _Optional[float] = ..., parts: _Optional[_Iterable[_Union[ScorePart, _Mapping]]] = ...) -> None: ...

class ScorePart(_message.Message):
    __slots__ = ("book_id", "contribution")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    contribution: float
    def __init__(self, book_id: _Optional[str] = ..., contribution: _Optional[float] = ...) -> None: ...

class RerankStep(_message.Message):
    __slots__ = ("kind", "book_ids", "notes")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[RerankStep.Kind]
        KIND_CANDIDATES: _ClassVar[RerankStep.Kind]
        KIND_ROTATION: _ClassVar[RerankStep.Kind]
        KIND_SERIES: _ClassVar[RerankStep.Kind]
        KIND_DISLIKED: _ClassVar[RerankStep.Kind]
        KIND_DIVERSITY: _ClassVar[RerankStep.Kind]
        KIND_AUTHORS: _ClassVar[RerankStep.Kind]
        KIND_RULES: _ClassVar[RerankStep.Kind]
        KIND_IMPRESSIONS: _ClassVar[RerankStep.Kind]
        KIND_PINS: _ClassVar[RerankStep.Kind]
    KIND_UNSPECIFIED: RerankStep.Kind
    KIND_CANDIDATES: RerankStep.Kind
    KIND_ROTATION: RerankStep.Kind
    KIND_SERIES: RerankStep.Kind
    KIND_DISLIKED: RerankStep.Kind
    KIND_DIVERSITY: RerankStep.Kind
    KIND_AUTHORS: RerankStep.Kind
    KIND_RULES: RerankStep.Kind
    KIND_IMPRESSIONS: RerankStep.Kind
    KIND_PINS: RerankStep.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    BOOK_IDS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    kind: RerankStep.Kind
    book_ids: _containers.RepeatedScalarFieldContainer[str]
    notes: _containers.RepeatedCompositeFieldContainer[RerankNote]
    def __init__(self, kind: _Optional[_Union[RerankStep.Kind, str]] = ..., book_ids: _Optional[_Iterable[str]] = ..., notes: _Optional[_Iterable[_Union[RerankNote, _Mapping]]] = ...) -> None: ...

class RerankNote(_message.Message):
    __slots__ = ("book_id", "cause", "other_book_id", "name", "number")
    class Cause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CAUSE_UNSPECIFIED: _ClassVar[RerankNote.Cause]
        CAUSE_NOT_NEXT: _ClassVar[RerankNote.Cause]
        CAUSE_IN_PLACE_OF: _ClassVar[RerankNote.Cause]
        CAUSE_SERIES_TAKEN: _ClassVar[RerankNote.Cause]
        CAUSE_DISLIKED_SERIES: _ClassVar[RerankNote.Cause]
        CAUSE_DISLIKED_AUTHOR: _ClassVar[RerankNote.Cause]
        CAUSE_LIKE: _ClassVar[RerankNote.Cause]
        CAUSE_AUTHOR_CAP: _ClassVar[RerankNote.Cause]
        CAUSE_FACTOR: _ClassVar[RerankNote.Cause]
        CAUSE_BURIED: _ClassVar[RerankNote.Cause]
        CAUSE_PINNED: _ClassVar[RerankNote.Cause]
        CAUSE_SHOWN: _ClassVar[RerankNote.Cause]
    CAUSE_UNSPECIFIED: RerankNote.Cause
    CAUSE_NOT_NEXT: RerankNote.Cause
    CAUSE_IN_PLACE_OF: RerankNote.Cause
    CAUSE_SERIES_TAKEN: RerankNote.Cause
    CAUSE_DISLIKED_SERIES: RerankNote.Cause
    CAUSE_DISLIKED_AUTHOR: RerankNote.Cause
    CAUSE_LIKE: RerankNote.Cause
    CAUSE_AUTHOR_CAP: RerankNote.Cause
    CAUSE_FACTOR: RerankNote.Cause
    CAUSE_BURIED: RerankNote.Cause
    CAUSE_PINNED: RerankNote.Cause
    CAUSE_SHOWN: RerankNote.Cause
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    OTHER_BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    cause: RerankNote.Cause
    other_book_id: str
    name: str
    number: float
    def __init__(self, book_id: _Optional[str] = ..., cause: _Optional[_Union[RerankNote.Cause, str]] = ..., other_book_id: _Optional[str] = ..., name: _Optional[str] = ..., number: _Optional[float] = ...) -> None: ...

class GetAcceptanceRequest(_message.Message):
    __slots__ = ("start_time",)
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetAcceptanceResponse(_message.Message):
    __slots__ = ("acceptances", "first_shown_time")
    ACCEPTANCES_FIELD_NUMBER: _ClassVar[int]
    FIRST_SHOWN_TIME_FIELD_NUMBER: _ClassVar[int]
    acceptances: _containers.RepeatedCompositeFieldContainer[Acceptance]
    first_shown_time: _timestamp_pb2.Timestamp
    def __init__(self, acceptances: _Optional[_Iterable[_Union[Acceptance, _Mapping]]] = ..., first_shown_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Acceptance(_message.Message):
    __slots__ = ("shelf_kind", "model_version", "shown_count", "clicked_count", "bought_count", "clicked", "bought")
    SHELF_KIND_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLICKED_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    CLICKED_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_FIELD_NUMBER: _ClassVar[int]
    shelf_kind: _recommendation_service_pb2.ShelfKind
    model_version: str
    shown_count: int
    clicked_count: int
    bought_count: int
    clicked: Proportion
    bought: Proportion
    def __init__(self, shelf_kind: _Optional[_Union[_recommendation_service_pb2.ShelfKind, str]] = ..., model_version: _Optional[str] = ..., shown_count: _Optional[int] = ..., clicked_count: _Optional[int] = ..., bought_count: _Optional[int] = ..., clicked: _Optional[_Union[Proportion, _Mapping]] = ..., bought: _Optional[_Union[Proportion, _Mapping]] = ...) -> None: ...

class Proportion(_message.Message):
    __slots__ = ("estimate", "low", "high")
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    estimate: float
    low: float
    high: float
    def __init__(self, estimate: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...
