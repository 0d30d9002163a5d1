// Asks for a reader's shelf, buys its first book, and asks again.
//
// Usage: npm start [HOST:PORT [READER]]; `foreword demo` starts a service at localhost:50051.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { EventKind } from "./generated/foreword/v1/event_pb.js";
import { EventService } from "./generated/foreword/v1/event_service_pb.js";
import { type RecommendedBook, RecommendationService } from "./generated/foreword/v1/recommendation_service_pb.js";

const [target = "localhost:50051", reader = "1"] = process.argv.slice(2);
const RESULTS = 5;
const ATTEMPTS = 3;

// A page does not wait for long: after this it shows something else.
const transport = createGrpcTransport({ baseUrl: `http://${target}`, defaultTimeoutMs: 1000 });
const recommendations = createClient(RecommendationService, transport);
const events: Client<typeof EventService> = createClient(EventService, transport);

async function main(): Promise<number> {
  const shelf = await again(() => recommendations.recommend({ userId: reader, maxResults: RESULTS }));
  show("Picked for you", shelf.books);
  const first = shelf.books[0]?.book;
  if (first === undefined) {
    throw new Error("the shelf is empty");
  }
  const userRevision = await buy(first.id, shelf.attributionToken);
  console.log(`Bought "${first.title}".`);
  // With the revision of the acknowledgement, whichever replica answers knows of the purchase.
  const changed = await again(() => recommendations.recommend({ userId: reader, maxResults: RESULTS, userRevision }));
  show("Picked for you, now", changed.books);
  const gone = !changed.books.some((found) => found.book?.id === first.id);
  console.log(`Revision ${changed.userRevision}: what was bought is ${gone ? "gone" : "still there"}.`);
  return gone ? 0 : 1;
}

/** Tells of a purchase; the revision of the reader that has it. */
async function buy(bookId: string, attributionToken: string): Promise<bigint> {
  // The id belongs to the purchase: sent again, it counts once.
  const eventId = `order-${randomUUID()}`;
  const event = { eventId, userId: reader, bookId, kind: EventKind.PURCHASE, attributionToken };
  const { results } = await again(() =>
    events.recordEvents({ entries: [{ entry: { case: "event", value: event } }] }),
  );
  const result = results[0];
  if (result === undefined || result.violations.length > 0) {
    throw new Error(`refused: ${result?.violations.map((it) => `${it.field}: ${it.description}`).join(", ")}`);
  }
  return result.userRevision;
}

/** Makes a call that may be made twice; once more, a moment later, while the service is away. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable || attempt === ATTEMPTS) {
        throw error;
      }
      // A random part less, so that clients that failed together do not come back together.
      await setTimeout(100 * 2 ** attempt * (0.5 + Math.random() / 2));
    }
  }
}

function show(heading: string, books: RecommendedBook[]): void {
  console.log(`${heading}:`);
  books.forEach((found, place) => console.log(`  ${place + 1}. ${found.book?.title}`));
}

try {
  process.exitCode = await main();
} catch (error) {
  const { code, message } = ConnectError.from(error);
  if (code !== Code.Unavailable && code !== Code.DeadlineExceeded) {
    console.error(`refused: ${message}`);
    process.exitCode = 1;
  } else {
    console.log(`The service is away (${Code[code]}): the page shows its bestsellers.`);
  }
}
