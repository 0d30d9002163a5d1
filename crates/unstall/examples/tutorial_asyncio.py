#!/usr/bin/env python3
"""The service of `tutorial.rs` on grpcio's asyncio server, for the comparison.

    python tutorial_asyncio.py PROTO_DIR [ADDRESS]

PROTO_DIR holds recommendations.proto (crates/api/proto). Needs grpcio and grpcio-tools.
The handler blocks the only thread on purpose.
"""

import asyncio
import sys
import time

import grpc

if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
# grpcio generates the modules in memory from a .proto file that is on the path.
sys.path.insert(0, sys.argv[1])
messages, services = grpc.protos_and_services("recommendations.proto")

ADDRESS = sys.argv[2] if len(sys.argv) == 3 else "127.0.0.1:50051"
SHELVES = {
    messages.MYSTERY: ["The Locked Greenhouse", "Nine Tides", "A Debt of Ink"],
    messages.SCIENCE_FICTION: ["Slow Light", "The Glass Orbit", "Seed Vault Nine"],
    messages.SELF_HELP: ["Begin Badly", "The Shorter List", "Rest Is Work"],
}


def price_lookup():
    time.sleep(5)


class Tutorial(services.RecommendationsServicer):
    async def Recommend(self, request, context):
        print("Handling request", flush=True)
        if request.category not in SHELVES:
            await context.abort(grpc.StatusCode.NOT_FOUND, "category: not one of the three")
        price_lookup()
        books = enumerate(SHELVES[request.category], start=1 + 3 * request.category)
        response = messages.RecommendationResponse(
            recommendations=[
                messages.BookRecommendation(id=number, title=title)
                for number, title in list(books)[: max(request.max_results, 0)]
            ]
        )
        print("Done", flush=True)
        return response


async def main():
    server = grpc.aio.server()
    services.add_RecommendationsServicer_to_server(Tutorial(), server)
    server.add_insecure_port(ADDRESS)
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
