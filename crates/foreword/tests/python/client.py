"""Calls a running Foreword with grpcio, as the tutorial's web shop does.

Usage: client.py HOST:PORT PROTO_DIR. Makes the stubs from the protos into a temporary
folder, calls, checks the answers, and ends with an error at the first that is not as promised.
"""

import sys
import tempfile
from pathlib import Path

import grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc


def make_stubs(protos: Path, out: str) -> None:
    files = [str(path.relative_to(protos)) for path in protos.rglob("*.proto")]
    # Google's own messages come with the compiler.
    folders = [f"-I{protos}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
    if protoc.main(["protoc", *folders, f"--python_out={out}", f"--grpc_python_out={out}", *files]):
        raise SystemExit("protoc failed")
    sys.path.insert(0, out)


def status_of(call, request) -> grpc.StatusCode:
    try:
        call(request, timeout=10)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def check_tutorial(channel: grpc.Channel) -> None:
    from recommendations_pb2 import BookCategory, RecommendationRequest
    from recommendations_pb2_grpc import RecommendationsStub

    stub = RecommendationsStub(channel)
    shelves = []
    for category in (BookCategory.MYSTERY, BookCategory.SCIENCE_FICTION, BookCategory.SELF_HELP):
        request = RecommendationRequest(user_id=1, category=category, max_results=3)
        books = stub.Recommend(request, timeout=10).recommendations
        assert len(books) == 3 and all(book.id > 0 and book.title for book in books), books
        shelves.append({book.id for book in books})
    assert not shelves[0] & shelves[2], "mysteries are no self-help books"
    default = stub.Recommend(RecommendationRequest(user_id=1), timeout=10).recommendations
    assert len(default) == 10, default
    assert status_of(stub.Recommend, RecommendationRequest(category=3)) == grpc.StatusCode.NOT_FOUND
    assert status_of(stub.Recommend, RecommendationRequest(max_results=-1)) == grpc.StatusCode.INVALID_ARGUMENT
    assert status_of(stub.Recommend, RecommendationRequest(max_results=101)) == grpc.StatusCode.INVALID_ARGUMENT


def check_v1(channel: grpc.Channel) -> None:
    from foreword.v1.recommendation_service_pb2 import Fallback, RecommendRequest, SimilarBooksRequest, Source, TrendingRequest
    from foreword.v1.recommendation_service_pb2_grpc import RecommendationServiceStub

    stub = RecommendationServiceStub(channel)
    answer = stub.Recommend(RecommendRequest(user_id="1", max_results=5), timeout=10)
    assert len(answer.books) == 5 and answer.attribution_token and answer.model_version
    for found in answer.books:
        assert found.source.kind == Source.KIND_PERSONAL and found.source.simulated
        assert 1 <= len(found.reasons) <= 3
        assert 0 < sum(reason.share for reason in found.reasons) <= 1.000001
    # The steps of a shelf change the order, and not the scores.
    assert min(found.score for found in answer.books) > 0
    stranger = stub.Recommend(RecommendRequest(user_id="nobody"), timeout=10)
    assert stranger.fallback == Fallback.FALLBACK_UNKNOWN_USER and len(stranger.books) == 10
    similar = stub.SimilarBooks(SimilarBooksRequest(book_id=answer.books[0].book.id), timeout=10)
    assert len(similar.books) == 10
    trending = stub.Trending(TrendingRequest(max_results=4), timeout=10)
    assert [found.source.kind for found in trending.books] == [Source.KIND_TRENDING] * 4
    assert status_of(stub.SimilarBooks, SimilarBooksRequest(book_id="none")) == grpc.StatusCode.NOT_FOUND


def check_reflection(channel: grpc.Channel) -> None:
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert {"Recommendations", "foreword.v1.RecommendationService"} <= set(services), services


def main() -> None:
    target, protos = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as out, grpc.insecure_channel(target) as channel:
        make_stubs(protos, out)
        check_tutorial(channel)
        check_v1(channel)
        check_reflection(channel)
    print("all calls answered as promised")


if __name__ == "__main__":
    main()
