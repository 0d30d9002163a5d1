#!/usr/bin/env python3
"""Asks the tutorial's service five times at once and says when each answer came.

    python five_requests.py ADDRESS PROTO_DIR [REQUESTS]

PROTO_DIR holds recommendations.proto (crates/api/proto). Needs grpcio and grpcio-tools.
"""

import sys
import time

import grpc

if len(sys.argv) not in (3, 4):
    sys.exit(__doc__)
address, proto_dir = sys.argv[1:3]
requests = int(sys.argv[3]) if len(sys.argv) == 4 else 5
# grpcio generates the modules in memory from a .proto file that is on the path.
sys.path.insert(0, proto_dir)
messages, services = grpc.protos_and_services("recommendations.proto")

with grpc.insecure_channel(address) as channel:
    grpc.channel_ready_future(channel).result(timeout=10)
    recommend = services.RecommendationsStub(channel).Recommend
    wanted = messages.RecommendationRequest(
        user_id=1, category=messages.MYSTERY, max_results=3
    )
    start = time.monotonic()
    answered = {}
    calls = [recommend.future(wanted) for _ in range(requests)]
    for number, call in enumerate(calls):
        call.add_done_callback(
            lambda _, number=number: answered.setdefault(number, time.monotonic() - start)
        )
    for number, call in enumerate(calls):
        for book in call.result().recommendations:
            print(f"  {book.id}: {book.title}")
        # The callback runs on a thread of its own, perhaps a moment later.
        while number not in answered:
            time.sleep(0.001)
        print(f"answered after {answered[number]:.3f} s", flush=True)
    print(f"total {max(answered.values()):.3f} s")
