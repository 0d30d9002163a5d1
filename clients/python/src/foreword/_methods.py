"""Written by generate.py: change the .proto files instead."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator

from foreword import v1
from foreword._calls import AsyncCalls, Calls, Metadata, Method

_GET_BOOK = Method(
    "/foreword.v1.CatalogService/GetBook",
    v1.GetBookRequest,
    v1.GetBookResponse,
    repeatable=True,
)
_SEARCH_BOOKS = Method(
    "/foreword.v1.CatalogService/SearchBooks",
    v1.SearchBooksRequest,
    v1.SearchBooksResponse,
    repeatable=True,
)
_LIST_BOOKS = Method(
    "/foreword.v1.CatalogService/ListBooks",
    v1.ListBooksRequest,
    v1.ListBooksResponse,
    repeatable=True,
)
_LIST_CATEGORIES = Method(
    "/foreword.v1.CatalogService/ListCategories",
    v1.ListCategoriesRequest,
    v1.ListCategoriesResponse,
    repeatable=True,
)
_UPSERT_BOOKS = Method(
    "/foreword.v1.CatalogService/UpsertBooks",
    v1.UpsertBooksRequest,
    v1.UpsertBooksResponse,
    repeatable=True,
)
_UPDATE_OFFERS = Method(
    "/foreword.v1.CatalogService/UpdateOffers",
    v1.UpdateOffersRequest,
    v1.UpdateOffersResponse,
    repeatable=True,
)
_ADJUST_STOCK = Method(
    "/foreword.v1.CatalogService/AdjustStock",
    v1.AdjustStockRequest,
    v1.AdjustStockResponse,
    repeatable=True,
)
_DELETE_BOOK = Method(
    "/foreword.v1.CatalogService/DeleteBook",
    v1.DeleteBookRequest,
    v1.DeleteBookResponse,
    repeatable=False,
)
_IMPORT_BOOKS = Method(
    "/foreword.v1.CatalogService/ImportBooks",
    v1.ImportBooksRequest,
    v1.ImportBooksResponse,
    repeatable=False,
)
_RECORD_EVENTS = Method(
    "/foreword.v1.EventService/RecordEvents",
    v1.RecordEventsRequest,
    v1.RecordEventsResponse,
    repeatable=True,
)
_STREAM_EVENTS = Method(
    "/foreword.v1.EventService/StreamEvents",
    v1.StreamEventsRequest,
    v1.StreamEventsResponse,
    repeatable=False,
)
_RECOMMEND = Method(
    "/foreword.v1.RecommendationService/Recommend",
    v1.RecommendRequest,
    v1.RecommendResponse,
    repeatable=True,
)
_SIMILAR_BOOKS = Method(
    "/foreword.v1.RecommendationService/SimilarBooks",
    v1.SimilarBooksRequest,
    v1.SimilarBooksResponse,
    repeatable=True,
)
_TRENDING = Method(
    "/foreword.v1.RecommendationService/Trending",
    v1.TrendingRequest,
    v1.TrendingResponse,
    repeatable=True,
)
_RECOMMEND_PAGE = Method(
    "/foreword.v1.RecommendationService/RecommendPage",
    v1.RecommendPageRequest,
    v1.RecommendPageResponse,
    repeatable=True,
)
_WATCH_METRICS = Method(
    "/foreword.v1.InsightService/WatchMetrics",
    v1.WatchMetricsRequest,
    v1.WatchMetricsResponse,
    repeatable=True,
)
_LIST_STALLS = Method(
    "/foreword.v1.InsightService/ListStalls",
    v1.ListStallsRequest,
    v1.ListStallsResponse,
    repeatable=True,
)
_LIST_REPLICAS = Method(
    "/foreword.v1.InsightService/ListReplicas",
    v1.ListReplicasRequest,
    v1.ListReplicasResponse,
    repeatable=True,
)
_EXPLAIN_RECOMMEND = Method(
    "/foreword.v1.InsightService/ExplainRecommend",
    v1.ExplainRecommendRequest,
    v1.ExplainRecommendResponse,
    repeatable=True,
)
_GET_ACCEPTANCE = Method(
    "/foreword.v1.InsightService/GetAcceptance",
    v1.GetAcceptanceRequest,
    v1.GetAcceptanceResponse,
    repeatable=True,
)
_LIST_MODELS = Method(
    "/foreword.v1.ModelService/ListModels",
    v1.ListModelsRequest,
    v1.ListModelsResponse,
    repeatable=True,
)
_GET_MODEL = Method(
    "/foreword.v1.ModelService/GetModel",
    v1.GetModelRequest,
    v1.GetModelResponse,
    repeatable=True,
)
_TRAIN = Method(
    "/foreword.v1.ModelService/Train",
    v1.TrainRequest,
    v1.TrainResponse,
    repeatable=False,
)
_ACTIVATE_MODEL = Method(
    "/foreword.v1.ModelService/ActivateModel",
    v1.ActivateModelRequest,
    v1.ActivateModelResponse,
    repeatable=False,
)
_ROLL_BACK_MODEL = Method(
    "/foreword.v1.ModelService/RollBackModel",
    v1.RollBackModelRequest,
    v1.RollBackModelResponse,
    repeatable=False,
)
_LIST_RULES = Method(
    "/foreword.v1.RuleService/ListRules",
    v1.ListRulesRequest,
    v1.ListRulesResponse,
    repeatable=True,
)
_PUT_RULE = Method(
    "/foreword.v1.RuleService/PutRule",
    v1.PutRuleRequest,
    v1.PutRuleResponse,
    repeatable=True,
)
_DELETE_RULE = Method(
    "/foreword.v1.RuleService/DeleteRule",
    v1.DeleteRuleRequest,
    v1.DeleteRuleResponse,
    repeatable=False,
)
_LIST_USERS = Method(
    "/foreword.v1.UserService/ListUsers",
    v1.ListUsersRequest,
    v1.ListUsersResponse,
    repeatable=True,
)
_LIST_USER_BOOKS = Method(
    "/foreword.v1.UserService/ListUserBooks",
    v1.ListUserBooksRequest,
    v1.ListUserBooksResponse,
    repeatable=True,
)
_IMPORT_READING_LIST = Method(
    "/foreword.v1.UserService/ImportReadingList",
    v1.ImportReadingListRequest,
    v1.ImportReadingListResponse,
    repeatable=False,
)
_EXPORT_USER = Method(
    "/foreword.v1.UserService/ExportUser",
    v1.ExportUserRequest,
    v1.ExportUserResponse,
    repeatable=True,
)
_DELETE_USER = Method(
    "/foreword.v1.UserService/DeleteUser",
    v1.DeleteUserRequest,
    v1.DeleteUserResponse,
    repeatable=False,
)
_MERGE_USERS = Method(
    "/foreword.v1.UserService/MergeUsers",
    v1.MergeUsersRequest,
    v1.MergeUsersResponse,
    repeatable=False,
)


class Methods(Calls):
    """The methods of the contract. Without a `timeout`, in seconds, the client's counts."""

    def get_book(
        self, request: v1.GetBookRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetBookResponse:
        """Returns a book. Answers NOT_FOUND if the shop does not have it."""
        return self._unary(_GET_BOOK, request, timeout, metadata)

    def search_books(
        self, request: v1.SearchBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.SearchBooksResponse:
        """Returns the books whose title, authors or series match some words, the best match first; for
        an ISBN, the book that has it.
        """
        return self._unary(_SEARCH_BOOKS, request, timeout, metadata)

    def list_books(
        self, request: v1.ListBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListBooksResponse:
        """Returns the books that meet a filter, a page at a time: those of a category, for example. One
        book for each work, the edition that comes first in the order.
        """
        return self._unary(_LIST_BOOKS, request, timeout, metadata)

    def list_categories(
        self, request: v1.ListCategoriesRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListCategoriesResponse:
        """Returns the categories that books of the shop are in, those with most books first, then by
        slug.
        """
        return self._unary(_LIST_CATEGORIES, request, timeout, metadata)

    def upsert_books(
        self, request: v1.UpsertBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.UpsertBooksResponse:
        """Stores books, in place of those with the same ids if there are such. Events that waited for
        a book count from now on.
        """
        return self._unary(_UPSERT_BOOKS, request, timeout, metadata)

    def update_offers(
        self, request: v1.UpdateOffersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.UpdateOffersResponse:
        """Changes how books are offered, and nothing else of them. Books that the shop does not have
        are named in the answer.
        """
        return self._unary(_UPDATE_OFFERS, request, timeout, metadata)

    def adjust_stock(
        self, request: v1.AdjustStockRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.AdjustStockResponse:
        """Adds to a book's stock, or takes from it: a purchase takes one. What is there is looked at and
        changed in one step, whoever else sells the book, and never goes below zero: where there are
        fewer units than are to be taken, nothing is changed and the answer is FAILED_PRECONDITION
        with the reason SOLD_OUT and, in its metadata, the `stock`. A request that was answered OK and is
        sent again with its id changes nothing, and is answered with the stock of now; one that was
        refused may be sent again. Answers NOT_FOUND if the shop does not have the book, and
        ALREADY_EXISTS with the reason REQUEST_CONFLICTING if the id was used for another change.
        """
        return self._unary(_ADJUST_STOCK, request, timeout, metadata)

    def delete_book(
        self, request: v1.DeleteBookRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteBookResponse:
        """Deletes a book. Its events stay, and wait for it to come back. Answers NOT_FOUND if the
        shop does not have it.
        """
        return self._unary(_DELETE_BOOK, request, timeout, metadata)

    def import_books(
        self, requests: Iterable[v1.ImportBooksRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.ImportBooksResponse]:
        """Stores many books: as UpsertBooks for each request, with an answer for each once it is
        durable. A book that is not valid is refused by itself, and the others are stored. All of
        them count from the end of the stream, or within a second.
        """
        return self._stream(_IMPORT_BOOKS, requests, timeout, metadata)

    def record_events(
        self, request: v1.RecordEventsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecordEventsResponse:
        """Writes down what happened. An entry that is not valid is refused by itself, in its result;
        the others are stored.
        """
        return self._unary(_RECORD_EVENTS, request, timeout, metadata)

    def stream_events(
        self, requests: Iterable[v1.StreamEventsRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.StreamEventsResponse]:
        """Writes down what happens for as long as the client wants: results come in the order of the
        entries, each once it is durable. A client that reads no results is not read from.
        """
        return self._stream(_STREAM_EVENTS, requests, timeout, metadata)

    def recommend(
        self, request: v1.RecommendRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecommendResponse:
        """Returns books for one user, best first. Never returns a book, or another
        edition of a book, that the user already has or has judged. Of a series, the
        volume to read next comes before all others, and as far as the shop has set so,
        unlike books come before more of the same.
        """
        return self._unary(_RECOMMEND, request, timeout, metadata)

    def similar_books(
        self, request: v1.SimilarBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.SimilarBooksResponse:
        """Returns books that are read by the same readers as the given one, best first; of its
        own series, the volume after it comes before all others.
        Answers NOT_FOUND if the shop does not have the given book.
        """
        return self._unary(_SIMILAR_BOOKS, request, timeout, metadata)

    def trending(
        self, request: v1.TrendingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.TrendingResponse:
        """Returns books that are read more lately than they used to be, the most trending
        first. While the shop is too young to tell, those that are read most lately.
        """
        return self._unary(_TRENDING, request, timeout, metadata)

    def recommend_page(
        self, request: v1.RecommendPageRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecommendPageResponse:
        """Returns the shelves of one page, all from one model and one moment, without a book twice.
        Answers NOT_FOUND if the shop does not have a book that a shelf is to be about.
        """
        return self._unary(_RECOMMEND_PAGE, request, timeout, metadata)

    def watch_metrics(
        self, request: v1.WatchMetricsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.WatchMetricsResponse]:
        """Returns figures of the service again and again, the first ones at once. A client that reads
        too slowly misses some. Answers RESOURCE_EXHAUSTED with the reason WATCHERS_LIMIT if 16 others
        are watching; ends with UNAVAILABLE and the reason STOPPING when the server stops.
        """
        return self._stream_of_one(_WATCH_METRICS, request, timeout, metadata)

    def list_stalls(
        self, request: v1.ListStallsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListStallsResponse:
        """Returns the latest stalls of the server: handlers that held their thread and let it do nothing
        else. At most 64, the latest first, each as it was reported last.
        """
        return self._unary(_LIST_STALLS, request, timeout, metadata)

    def list_replicas(
        self, request: v1.ListReplicasRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListReplicasResponse:
        """Returns the servers of the shop that are connected to its database, by the same user of it; of a
        store in a file, this one alone.
        """
        return self._unary(_LIST_REPLICAS, request, timeout, metadata)

    def explain_recommend(
        self, request: v1.ExplainRecommendRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ExplainRecommendResponse:
        """Returns what `Recommend` would answer, and how it comes about: what the reader's history
        weighs, the candidates with the parts of their scores, and what each step of the re-rank did.
        With rules that are not stored, also how it would be with them. Costs far more than an answer: a
        server works on two at a time, and others wait.
        """
        return self._unary(_EXPLAIN_RECOMMEND, request, timeout, metadata)

    def get_acceptance(
        self, request: v1.GetAcceptanceRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetAcceptanceResponse:
        """Returns how recommendations are taken up: of the books that were shown, how many were clicked
        and bought, for each kind of shelf and each model. Of the whole shop, whichever server answered.
        What was counted up to ten seconds ago is answered again; who asks for more waits for a turn.
        """
        return self._unary(_GET_ACCEPTANCE, request, timeout, metadata)

    def list_models(
        self, request: v1.ListModelsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListModelsResponse:
        """Returns the models that are kept, the latest first; as many as the server is set to keep, 3
        unless set otherwise.
        """
        return self._unary(_LIST_MODELS, request, timeout, metadata)

    def get_model(
        self, request: v1.GetModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetModelResponse:
        """Returns one model with its settings. Answers NOT_FOUND if it is not kept, or there is none."""
        return self._unary(_GET_MODEL, request, timeout, metadata)

    def train(
        self, request: v1.TrainRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.TrainResponse]:
        """Trains a model on all events of the shop and activates it, in a process that gets what nobody
        else wants of the CPU. Tells about its progress until it is done; the last answer is the model. A
        call that is cancelled stops its training, and the model before stays active.
        
        Answers FAILED_PRECONDITION with the reason TRAINING_RUNNING while another training is running,
        here or in another process, whoever began it, and with NOTHING_TO_LEARN if the shop has no event
        that speaks for a book; INTERNAL with the reason TRAINING_FAILED if it fails, as where memory is
        short; UNAVAILABLE with the reason STOPPING if the server stops before it is done.
        """
        return self._stream_of_one(_TRAIN, request, timeout, metadata)

    def activate_model(
        self, request: v1.ActivateModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ActivateModelResponse:
        """Activates a model that is kept. To activate the one that is active changes nothing. Answers
        NOT_FOUND if it is not kept, FAILED_PRECONDITION with the reason MODEL_DAMAGED if its file is
        not what it was, or holds what this server cannot serve, and with TRAINING_RUNNING while a
        training is running, here or in another process. A model that cannot be served is not activated.
        """
        return self._unary(_ACTIVATE_MODEL, request, timeout, metadata)

    def roll_back_model(
        self, request: v1.RollBackModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RollBackModelResponse:
        """Activates the latest model that is older than the active one. Answers FAILED_PRECONDITION with
        the reason NO_OLDER_MODEL if there is none, and otherwise as `ActivateModel`.
        """
        return self._unary(_ROLL_BACK_MODEL, request, timeout, metadata)

    def list_rules(
        self, request: v1.ListRulesRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListRulesResponse:
        """Returns the rules in the order of their ids, those that do not hold now included."""
        return self._unary(_LIST_RULES, request, timeout, metadata)

    def put_rule(
        self, request: v1.PutRuleRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.PutRuleResponse:
        """Stores a rule, in place of the one with the same id if there is one; putting a rule twice
        is putting it once. Answers FAILED_PRECONDITION if there are 1,000 others.
        """
        return self._unary(_PUT_RULE, request, timeout, metadata)

    def delete_rule(
        self, request: v1.DeleteRuleRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteRuleResponse:
        """Deletes a rule. Answers NOT_FOUND if there is none with this id: so too if it is asked
        again because the first answer was lost.
        """
        return self._unary(_DELETE_RULE, request, timeout, metadata)

    def list_users(
        self, request: v1.ListUsersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListUsersResponse:
        """Returns the users that events are stored of, a page at a time, in the order of their numbers:
        those with decimal ids below 2^30 first, then the others in the order in which the shop came
        to know them.
        """
        return self._unary(_LIST_USERS, request, timeout, metadata)

    def list_user_books(
        self, request: v1.ListUserBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListUserBooksResponse:
        """Returns the books that a user did something to, each with what they did; what they did
        something to last comes first. Answers NOT_FOUND if the shop does not know the user.
        """
        return self._unary(_LIST_USER_BOOKS, request, timeout, metadata)

    def import_reading_list(
        self, requests: Iterable[v1.ImportReadingListRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.ImportReadingListResponse]:
        """Imports what a user exported from Goodreads: a CSV file, plain or packed with gzip or zstd, as
        a stream of its bytes. Progress is told about ten times a second; when the client has sent
        all, the last answer is a report. All of it is stored in one step, but for lines that
        are refused, or nothing is; to import the same file again stores nothing. A user that the shop
        does not know is created.
        
        Answers INVALID_ARGUMENT for a file that is not such a CSV, or is larger than 10 MiB, as sent
        or unpacked, or has more than 20,000 lines of books; UNAVAILABLE with the reason
        READING_LISTS_LIMIT while 8 others, or 4 others of the same client, are on their way;
        DEADLINE_EXCEEDED with the reason READING_LIST_LATE if it has not come whole within 120 seconds.
        """
        return self._stream(_IMPORT_READING_LIST, requests, timeout, metadata)

    def export_user(
        self, request: v1.ExportUserRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> Iterator[v1.ExportUserResponse]:
        """Returns everything that is stored of a user: events, retracted ones and impressions
        included, in no particular order. Answers NOT_FOUND if the shop does not know the user.
        """
        return self._stream_of_one(_EXPORT_USER, request, timeout, metadata)

    def delete_user(
        self, request: v1.DeleteUserRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteUserResponse:
        """Deletes everything that is stored of a user. Models hold no users; what the user's events
        taught the model in service is gone with the next training. With a user go all who were merged
        into them. Answers FAILED_PRECONDITION for the id of somebody who was merged into another:
        only the other can be deleted. Answers NOT_FOUND if the shop does not know the user, so too if
        it is asked again because the first answer was lost.
        """
        return self._unary(_DELETE_USER, request, timeout, metadata)

    def merge_users(
        self, request: v1.MergeUsersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.MergeUsersResponse:
        """Gives everything of one user, such as an anonymous session, to another, such as the account
        that it signed in to. The first one is gone then, and events that still come for it are
        the other's. Merging twice is merging once. Answers FAILED_PRECONDITION if the source was
        merged into somebody else before, or the target into the source.
        """
        return self._unary(_MERGE_USERS, request, timeout, metadata)


class AsyncMethods(AsyncCalls):
    """The same for asyncio."""

    async def get_book(
        self, request: v1.GetBookRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetBookResponse:
        """Returns a book. Answers NOT_FOUND if the shop does not have it."""
        return await self._unary(_GET_BOOK, request, timeout, metadata)

    async def search_books(
        self, request: v1.SearchBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.SearchBooksResponse:
        """Returns the books whose title, authors or series match some words, the best match first; for
        an ISBN, the book that has it.
        """
        return await self._unary(_SEARCH_BOOKS, request, timeout, metadata)

    async def list_books(
        self, request: v1.ListBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListBooksResponse:
        """Returns the books that meet a filter, a page at a time: those of a category, for example. One
        book for each work, the edition that comes first in the order.
        """
        return await self._unary(_LIST_BOOKS, request, timeout, metadata)

    async def list_categories(
        self, request: v1.ListCategoriesRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListCategoriesResponse:
        """Returns the categories that books of the shop are in, those with most books first, then by
        slug.
        """
        return await self._unary(_LIST_CATEGORIES, request, timeout, metadata)

    async def upsert_books(
        self, request: v1.UpsertBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.UpsertBooksResponse:
        """Stores books, in place of those with the same ids if there are such. Events that waited for
        a book count from now on.
        """
        return await self._unary(_UPSERT_BOOKS, request, timeout, metadata)

    async def update_offers(
        self, request: v1.UpdateOffersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.UpdateOffersResponse:
        """Changes how books are offered, and nothing else of them. Books that the shop does not have
        are named in the answer.
        """
        return await self._unary(_UPDATE_OFFERS, request, timeout, metadata)

    async def adjust_stock(
        self, request: v1.AdjustStockRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.AdjustStockResponse:
        """Adds to a book's stock, or takes from it: a purchase takes one. What is there is looked at and
        changed in one step, whoever else sells the book, and never goes below zero: where there are
        fewer units than are to be taken, nothing is changed and the answer is FAILED_PRECONDITION
        with the reason SOLD_OUT and, in its metadata, the `stock`. A request that was answered OK and is
        sent again with its id changes nothing, and is answered with the stock of now; one that was
        refused may be sent again. Answers NOT_FOUND if the shop does not have the book, and
        ALREADY_EXISTS with the reason REQUEST_CONFLICTING if the id was used for another change.
        """
        return await self._unary(_ADJUST_STOCK, request, timeout, metadata)

    async def delete_book(
        self, request: v1.DeleteBookRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteBookResponse:
        """Deletes a book. Its events stay, and wait for it to come back. Answers NOT_FOUND if the
        shop does not have it.
        """
        return await self._unary(_DELETE_BOOK, request, timeout, metadata)

    def import_books(
        self, requests: Iterable[v1.ImportBooksRequest] | AsyncIterable[v1.ImportBooksRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.ImportBooksResponse]:
        """Stores many books: as UpsertBooks for each request, with an answer for each once it is
        durable. A book that is not valid is refused by itself, and the others are stored. All of
        them count from the end of the stream, or within a second.
        """
        return self._stream(_IMPORT_BOOKS, requests, timeout, metadata)

    async def record_events(
        self, request: v1.RecordEventsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecordEventsResponse:
        """Writes down what happened. An entry that is not valid is refused by itself, in its result;
        the others are stored.
        """
        return await self._unary(_RECORD_EVENTS, request, timeout, metadata)

    def stream_events(
        self, requests: Iterable[v1.StreamEventsRequest] | AsyncIterable[v1.StreamEventsRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.StreamEventsResponse]:
        """Writes down what happens for as long as the client wants: results come in the order of the
        entries, each once it is durable. A client that reads no results is not read from.
        """
        return self._stream(_STREAM_EVENTS, requests, timeout, metadata)

    async def recommend(
        self, request: v1.RecommendRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecommendResponse:
        """Returns books for one user, best first. Never returns a book, or another
        edition of a book, that the user already has or has judged. Of a series, the
        volume to read next comes before all others, and as far as the shop has set so,
        unlike books come before more of the same.
        """
        return await self._unary(_RECOMMEND, request, timeout, metadata)

    async def similar_books(
        self, request: v1.SimilarBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.SimilarBooksResponse:
        """Returns books that are read by the same readers as the given one, best first; of its
        own series, the volume after it comes before all others.
        Answers NOT_FOUND if the shop does not have the given book.
        """
        return await self._unary(_SIMILAR_BOOKS, request, timeout, metadata)

    async def trending(
        self, request: v1.TrendingRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.TrendingResponse:
        """Returns books that are read more lately than they used to be, the most trending
        first. While the shop is too young to tell, those that are read most lately.
        """
        return await self._unary(_TRENDING, request, timeout, metadata)

    async def recommend_page(
        self, request: v1.RecommendPageRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RecommendPageResponse:
        """Returns the shelves of one page, all from one model and one moment, without a book twice.
        Answers NOT_FOUND if the shop does not have a book that a shelf is to be about.
        """
        return await self._unary(_RECOMMEND_PAGE, request, timeout, metadata)

    def watch_metrics(
        self, request: v1.WatchMetricsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.WatchMetricsResponse]:
        """Returns figures of the service again and again, the first ones at once. A client that reads
        too slowly misses some. Answers RESOURCE_EXHAUSTED with the reason WATCHERS_LIMIT if 16 others
        are watching; ends with UNAVAILABLE and the reason STOPPING when the server stops.
        """
        return self._stream_of_one(_WATCH_METRICS, request, timeout, metadata)

    async def list_stalls(
        self, request: v1.ListStallsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListStallsResponse:
        """Returns the latest stalls of the server: handlers that held their thread and let it do nothing
        else. At most 64, the latest first, each as it was reported last.
        """
        return await self._unary(_LIST_STALLS, request, timeout, metadata)

    async def list_replicas(
        self, request: v1.ListReplicasRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListReplicasResponse:
        """Returns the servers of the shop that are connected to its database, by the same user of it; of a
        store in a file, this one alone.
        """
        return await self._unary(_LIST_REPLICAS, request, timeout, metadata)

    async def explain_recommend(
        self, request: v1.ExplainRecommendRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ExplainRecommendResponse:
        """Returns what `Recommend` would answer, and how it comes about: what the reader's history
        weighs, the candidates with the parts of their scores, and what each step of the re-rank did.
        With rules that are not stored, also how it would be with them. Costs far more than an answer: a
        server works on two at a time, and others wait.
        """
        return await self._unary(_EXPLAIN_RECOMMEND, request, timeout, metadata)

    async def get_acceptance(
        self, request: v1.GetAcceptanceRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetAcceptanceResponse:
        """Returns how recommendations are taken up: of the books that were shown, how many were clicked
        and bought, for each kind of shelf and each model. Of the whole shop, whichever server answered.
        What was counted up to ten seconds ago is answered again; who asks for more waits for a turn.
        """
        return await self._unary(_GET_ACCEPTANCE, request, timeout, metadata)

    async def list_models(
        self, request: v1.ListModelsRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListModelsResponse:
        """Returns the models that are kept, the latest first; as many as the server is set to keep, 3
        unless set otherwise.
        """
        return await self._unary(_LIST_MODELS, request, timeout, metadata)

    async def get_model(
        self, request: v1.GetModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.GetModelResponse:
        """Returns one model with its settings. Answers NOT_FOUND if it is not kept, or there is none."""
        return await self._unary(_GET_MODEL, request, timeout, metadata)

    def train(
        self, request: v1.TrainRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.TrainResponse]:
        """Trains a model on all events of the shop and activates it, in a process that gets what nobody
        else wants of the CPU. Tells about its progress until it is done; the last answer is the model. A
        call that is cancelled stops its training, and the model before stays active.
        
        Answers FAILED_PRECONDITION with the reason TRAINING_RUNNING while another training is running,
        here or in another process, whoever began it, and with NOTHING_TO_LEARN if the shop has no event
        that speaks for a book; INTERNAL with the reason TRAINING_FAILED if it fails, as where memory is
        short; UNAVAILABLE with the reason STOPPING if the server stops before it is done.
        """
        return self._stream_of_one(_TRAIN, request, timeout, metadata)

    async def activate_model(
        self, request: v1.ActivateModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ActivateModelResponse:
        """Activates a model that is kept. To activate the one that is active changes nothing. Answers
        NOT_FOUND if it is not kept, FAILED_PRECONDITION with the reason MODEL_DAMAGED if its file is
        not what it was, or holds what this server cannot serve, and with TRAINING_RUNNING while a
        training is running, here or in another process. A model that cannot be served is not activated.
        """
        return await self._unary(_ACTIVATE_MODEL, request, timeout, metadata)

    async def roll_back_model(
        self, request: v1.RollBackModelRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.RollBackModelResponse:
        """Activates the latest model that is older than the active one. Answers FAILED_PRECONDITION with
        the reason NO_OLDER_MODEL if there is none, and otherwise as `ActivateModel`.
        """
        return await self._unary(_ROLL_BACK_MODEL, request, timeout, metadata)

    async def list_rules(
        self, request: v1.ListRulesRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListRulesResponse:
        """Returns the rules in the order of their ids, those that do not hold now included."""
        return await self._unary(_LIST_RULES, request, timeout, metadata)

    async def put_rule(
        self, request: v1.PutRuleRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.PutRuleResponse:
        """Stores a rule, in place of the one with the same id if there is one; putting a rule twice
        is putting it once. Answers FAILED_PRECONDITION if there are 1,000 others.
        """
        return await self._unary(_PUT_RULE, request, timeout, metadata)

    async def delete_rule(
        self, request: v1.DeleteRuleRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteRuleResponse:
        """Deletes a rule. Answers NOT_FOUND if there is none with this id: so too if it is asked
        again because the first answer was lost.
        """
        return await self._unary(_DELETE_RULE, request, timeout, metadata)

    async def list_users(
        self, request: v1.ListUsersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListUsersResponse:
        """Returns the users that events are stored of, a page at a time, in the order of their numbers:
        those with decimal ids below 2^30 first, then the others in the order in which the shop came
        to know them.
        """
        return await self._unary(_LIST_USERS, request, timeout, metadata)

    async def list_user_books(
        self, request: v1.ListUserBooksRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.ListUserBooksResponse:
        """Returns the books that a user did something to, each with what they did; what they did
        something to last comes first. Answers NOT_FOUND if the shop does not know the user.
        """
        return await self._unary(_LIST_USER_BOOKS, request, timeout, metadata)

    def import_reading_list(
        self, requests: Iterable[v1.ImportReadingListRequest] | AsyncIterable[v1.ImportReadingListRequest], *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.ImportReadingListResponse]:
        """Imports what a user exported from Goodreads: a CSV file, plain or packed with gzip or zstd, as
        a stream of its bytes. Progress is told about ten times a second; when the client has sent
        all, the last answer is a report. All of it is stored in one step, but for lines that
        are refused, or nothing is; to import the same file again stores nothing. A user that the shop
        does not know is created.
        
        Answers INVALID_ARGUMENT for a file that is not such a CSV, or is larger than 10 MiB, as sent
        or unpacked, or has more than 20,000 lines of books; UNAVAILABLE with the reason
        READING_LISTS_LIMIT while 8 others, or 4 others of the same client, are on their way;
        DEADLINE_EXCEEDED with the reason READING_LIST_LATE if it has not come whole within 120 seconds.
        """
        return self._stream(_IMPORT_READING_LIST, requests, timeout, metadata)

    def export_user(
        self, request: v1.ExportUserRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> AsyncIterator[v1.ExportUserResponse]:
        """Returns everything that is stored of a user: events, retracted ones and impressions
        included, in no particular order. Answers NOT_FOUND if the shop does not know the user.
        """
        return self._stream_of_one(_EXPORT_USER, request, timeout, metadata)

    async def delete_user(
        self, request: v1.DeleteUserRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.DeleteUserResponse:
        """Deletes everything that is stored of a user. Models hold no users; what the user's events
        taught the model in service is gone with the next training. With a user go all who were merged
        into them. Answers FAILED_PRECONDITION for the id of somebody who was merged into another:
        only the other can be deleted. Answers NOT_FOUND if the shop does not know the user, so too if
        it is asked again because the first answer was lost.
        """
        return await self._unary(_DELETE_USER, request, timeout, metadata)

    async def merge_users(
        self, request: v1.MergeUsersRequest, *, timeout: float | None = None, metadata: Metadata = ()
    ) -> v1.MergeUsersResponse:
        """Gives everything of one user, such as an anonymous session, to another, such as the account
        that it signed in to. The first one is gone then, and events that still come for it are
        the other's. Merging twice is merging once. Answers FAILED_PRECONDITION if the source was
        merged into somebody else before, or the target into the source.
        """
        return await self._unary(_MERGE_USERS, request, timeout, metadata)
