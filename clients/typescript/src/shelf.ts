// Asks for a reader's shelf, buys its first book, and asks again.
//
// Usage: npm start [HOST:PORT [READER]]; `foreword demo` starts a service at localhost:50051.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";

import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { EventKind } from "./generated/foreword/v1/event_pb.js";
import { EventService } from "./generated/foreword/v1/event_service_pb.js";
import { type RecommendedBook, RecommendationService } from "./generated/foreword/v1/recommendation_service_pb.js";

const [target = "localhost:50051", reader = "1"] = process.argv.slice(2);
const RESULTS = 5;

// A page does not wait for long: after this, attempts included, it shows something else.
const TIMEOUT_MS = 2000;
// What one attempt may take of it, so that there is time to ask another replica when one hangs.
const ATTEMPT_MS = 1000;
const ATTEMPTS = 5;
// Before the second attempt; then twice as long each time.
const FIRST_WAIT_MS = 100;

const transport = createGrpcTransport({ baseUrl: `http://${target}` });
const recommendations = createClient(RecommendationService, transport);
const events = createClient(EventService, transport);

async function main(): Promise<number> {
  const question = { userId: reader, maxResults: RESULTS };
  const shelf = await again((options) => recommendations.recommend(question, options));
  show("Picked for you", shelf.books);
  const first = shelf.books[0]?.book;
  if (first === undefined) {
    throw new Error("the shelf is empty");
  }
  const userRevision = await buy(first.id, shelf.attributionToken);
  console.log(`Bought "${first.title}".`);
  // With the revision of the acknowledgement, whichever replica answers knows of the purchase.
  const changed = await again((options) => recommendations.recommend({ ...question, userRevision }, options));
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
  const request = { entries: [{ entry: { case: "event" as const, value: event } }] };
  const { results } = await again((options) => events.recordEvents(request, options));
  const result = results[0];
  if (result === undefined || result.violations.length > 0) {
    throw new Error(result?.violations.map((it) => `${it.field}: ${it.description}`).join(", "));
  }
  return result.userRevision;
}

/**
 * Makes a call that may be made twice; again, each time later, while the service is away, and at once when an
 * attempt had no answer in its time.
 */
async function again<T>(call: (options: CallOptions) => Promise<T>): Promise<T> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait *= 2) {
    try {
      return await call({ timeoutMs: Math.ceil(Math.min(ATTEMPT_MS, deadline - performance.now())) });
    } catch (error) {
      const { code } = ConnectError.from(error);
      // A random part less, so that clients that failed together do not come back together.
      const pause = code === Code.Unavailable ? wait * (0.5 + Math.random() / 2) : 0;
      const mayHelp = code === Code.Unavailable || code === Code.DeadlineExceeded;
      if (!mayHelp || attempt === ATTEMPTS || performance.now() + pause >= deadline) {
        throw error;
      }
      await setTimeout(pause);
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
