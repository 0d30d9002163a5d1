import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Model(_message.Message):
    __slots__ = ("version", "active", "served", "train_time", "file_bytes", "trained_on", "quality", "settings_toml", "damage")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SERVED_FIELD_NUMBER: _ClassVar[int]
    TRAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TRAINED_ON_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_TOML_FIELD_NUMBER: _ClassVar[int]
    DAMAGE_FIELD_NUMBER: _ClassVar[int]
    version: str
    active: bool
    served: bool
    train_time: _timestamp_pb2.Timestamp
    file_bytes: int
    trained_on: TrainingSummary
    quality: ModelQuality
    settings_toml: str
    damage: str
    def __init__(self, version: _Optional[str] = ..., active: _Optional[bool] = ..., served: _Optional[bool] = ..., train_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., file_bytes: _Optional[int] = ..., trained_on: _Optional[_Union[TrainingSummary, _Mapping]] = ..., quality: _Optional[_Union[ModelQuality, _Mapping]] = ..., settings_toml: _Optional[str] = ..., damage: _Optional[str] = ...) -> None: ...

class TrainingSummary(_message.Message):
    __slots__ = ("user_count", "book_count", "interaction_count", "simulated_interaction_count", "weight_count", "event_changes_since", "read_duration", "measure_duration", "fit_duration")
    USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    BOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_INTERACTION_COUNT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    EVENT_CHANGES_SINCE_FIELD_NUMBER: _ClassVar[int]
    READ_DURATION_FIELD_NUMBER: _ClassVar[int]
    MEASURE_DURATION_FIELD_NUMBER: _ClassVar[int]
    FIT_DURATION_FIELD_NUMBER: _ClassVar[int]
    user_count: int
    book_count: int
    interaction_count: int
    simulated_interaction_count: int
    weight_count: int
    event_changes_since: int
    read_duration: _duration_pb2.Duration
    measure_duration: _duration_pb2.Duration
    fit_duration: _duration_pb2.Duration
    def __init__(self, user_count: _Optional[int] = ..., book_count: _Optional[int] = ..., interaction_count: _Optional[int] = ..., simulated_interaction_count: _Optional[int] = ..., weight_count: _Optional[int] = ..., event_changes_since: _Optional[int] = ..., read_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., measure_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., fit_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ModelQuality(_message.Message):
    __slots__ = ("ndcg_at_10", "recall_at_10", "user_count", "popularity_ndcg_at_10", "measure_time")
    NDCG_AT_10_FIELD_NUMBER: _ClassVar[int]
    RECALL_AT_10_FIELD_NUMBER: _ClassVar[int]
    USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    POPULARITY_NDCG_AT_10_FIELD_NUMBER: _ClassVar[int]
    MEASURE_TIME_FIELD_NUMBER: _ClassVar[int]
    ndcg_at_10: float
    recall_at_10: float
    user_count: int
    popularity_ndcg_at_10: float
    measure_time: _timestamp_pb2.Timestamp
    def __init__(self, ndcg_at_10: _Optional[float] = ..., recall_at_10: _Optional[float] = ..., user_count: _Optional[int] = ..., popularity_ndcg_at_10: _Optional[float] = ..., measure_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
