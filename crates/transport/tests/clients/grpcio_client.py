"""Python's grpcio against the interop example: calls, health, reflection, TLS, mutual TLS.

Everything is asked over plaintext, TLS and mutual TLS, the last as the tutorial's client does
it. Needs grpcio, grpcio-tools, grpcio-health-checking and grpcio-reflection.
"""

import sys
import tempfile
import threading
from pathlib import Path

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

from served import Security, Served, parser, serve

SERVICE = "grpc.testing.TestService"
PROTOS = Path(__file__).parents[2] / "examples/interop/proto"
TIMEOUT_SECONDS = 10


def make_stubs(out: str) -> None:
    files = [str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto")]
    if protoc.main(["protoc", f"-I{PROTOS}", f"--python_out={out}", f"--grpc_python_out={out}", *files]):
        raise SystemExit("protoc failed")
    # The protos lie in a folder `grpc`, like grpcio's own package: find both there.
    grpc.__path__.append(f"{out}/grpc")
    sys.path.insert(0, out)


def connect(served: Served) -> grpc.Channel:
    if served.security is Security.PLAINTEXT:
        return grpc.insecure_channel(served.target)
    if served.security is Security.TLS:
        credentials = grpc.ssl_channel_credentials(served.pem("ca.pem"))
    else:
        credentials = grpc.ssl_channel_credentials(
            served.pem("ca.pem"), served.pem("client.key"), served.pem("client.pem")
        )
    return grpc.secure_channel(served.target, credentials)


def status_of(call, request, **options) -> grpc.StatusCode:
    try:
        call(request, timeout=TIMEOUT_SECONDS, **options)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def check_calls(channel: grpc.Channel) -> None:
    from grpc.testing import messages_pb2 as messages
    from grpc.testing.test_pb2_grpc import TestServiceStub

    stub = TestServiceStub(channel)
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        for compressed in (False, True):
            wanted = messages.BoolValue(value=compressed)
            request = messages.SimpleRequest(
                response_size=314_159,
                payload=messages.Payload(body=bytes(271_828)),
                response_compressed=wanted,
                expect_compressed=messages.BoolValue(value=compression is grpc.Compression.Gzip),
            )
            answer = stub.UnaryCall(request, compression=compression, timeout=TIMEOUT_SECONDS)
            assert answer.payload.body == bytes(314_159), "expected 314159 zeros"
    plain = messages.SimpleRequest(expect_compressed=messages.BoolValue(value=True))
    assert status_of(stub.UnaryCall, plain) is grpc.StatusCode.INVALID_ARGUMENT

    sizes = [31_415, 0, 2_653, 1_000_000]
    parameters = [messages.ResponseParameters(size=size, interval_us=1_000) for size in sizes]
    request = messages.StreamingOutputCallRequest(response_parameters=parameters)
    answers = stub.StreamingOutputCall(request, timeout=TIMEOUT_SECONDS)
    assert [len(answer.payload.body) for answer in answers] == sizes
    for call in (stub.FullDuplexCall, stub.HalfDuplexCall):
        answers = call(iter([request, request]), timeout=TIMEOUT_SECONDS)
        assert [len(answer.payload.body) for answer in answers] == sizes + sizes

    slow = messages.ResponseParameters(size=1, interval_us=60_000_000)
    request = messages.StreamingOutputCallRequest(response_parameters=[slow])
    call = stub.StreamingOutputCall(request, timeout=0.2)
    try:
        list(call)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED, error
    else:
        raise AssertionError("a stream outlived its deadline")

    huge = messages.SimpleRequest(payload=messages.Payload(body=bytes(5 << 20)))
    assert status_of(stub.UnaryCall, huge) is grpc.StatusCode.RESOURCE_EXHAUSTED


def check_health(channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    status = health_pb2.HealthCheckResponse

    def ask(service: str):
        return health_pb2.HealthCheckRequest(service=service)

    for service in ("", SERVICE):
        assert stub.Check(ask(service), timeout=TIMEOUT_SECONDS).status == status.SERVING
    assert status_of(stub.Check, ask("nobody")) is grpc.StatusCode.NOT_FOUND
    watch = stub.Watch(ask("nobody"), timeout=TIMEOUT_SECONDS)
    assert next(watch).status == status.SERVICE_UNKNOWN
    watch.cancel()
    listed = stub.List(health_pb2.HealthListRequest(), timeout=TIMEOUT_SECONDS).statuses
    assert {name: one.status for name, one in listed.items()} == {"": status.SERVING, SERVICE: status.SERVING}


def check_reflection(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services())
    # A client that has no proto file learns from the server how to call it.
    pool = DescriptorPool(database)
    method = pool.FindServiceByName(SERVICE).FindMethodByName("UnaryCall")
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    call = channel.unary_unary(
        f"/{SERVICE}/UnaryCall",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
    assert len(call(request(response_size=7), timeout=TIMEOUT_SECONDS).payload.body) == 7


def check_strangers(served: Served) -> None:
    """Whoever cannot prove who they are gets no answer."""
    if served.security is Security.PLAINTEXT:
        return
    strangers = {
        "without TLS": grpc.insecure_channel(served.target),
        "with another root": grpc.secure_channel(served.target, grpc.ssl_channel_credentials()),
    }
    if served.security is Security.MUTUAL_TLS:
        credentials = grpc.ssl_channel_credentials(served.pem("ca.pem"))
        strangers["without a client certificate"] = grpc.secure_channel(served.target, credentials)
    for who, channel in strangers.items():
        with channel:
            stub = health_pb2_grpc.HealthStub(channel)
            code = status_of(stub.Check, health_pb2.HealthCheckRequest())
            assert code is grpc.StatusCode.UNAVAILABLE, f"{who}: expected UNAVAILABLE, got {code}"


def watch_the_end(channel: grpc.Channel) -> tuple[threading.Thread, list]:
    """Watches in the background until the server stops, and notes what it was told."""
    stub = health_pb2_grpc.HealthStub(channel)
    updates = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=60)
    told = [next(updates).status]

    def follow() -> None:
        try:
            told.extend(update.status for update in updates)
        except grpc.RpcError as error:
            told.append(error.code())

    thread = threading.Thread(target=follow)
    thread.start()
    return thread, told


def check(server: Path, security: Security) -> None:
    with serve(server, security) as served:
        with connect(served) as channel:
            check_calls(channel)
            check_health(channel)
            check_reflection(channel)
        check_strangers(served)
        last = connect(served)
        thread, told = watch_the_end(last)
    thread.join()
    last.close()
    status = health_pb2.HealthCheckResponse
    expected = [status.SERVING, status.NOT_SERVING, grpc.StatusCode.UNAVAILABLE]
    assert told == expected, f"Watch until the end: {told}, expected {expected}"
    print(f"{security.value}: calls, health, reflection and strangers as expected")


def main() -> None:
    server = parser(__doc__).parse_args().server
    with tempfile.TemporaryDirectory() as out:
        make_stubs(out)
        for security in Security:
            check(server, security)


if __name__ == "__main__":
    main()
