import { expect, it } from "vitest";
import { serverEvents } from "./sse";

async function read(...chunks: string[]) {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
  const events = [];
  for await (const event of serverEvents(body)) events.push(event);
  return events;
}

it.each([
  ["one event", ["event: desktop\ndata: {}\n\n"], [{ event: "desktop", data: "{}" }]],
  ["an event in pieces", ["ev", "ent: a\nda", "ta: 1", "\n", "\n"], [{ event: "a", data: "1" }]],
  ["two events at once", ["data: 1\n\ndata: 2\n\n"], [{ event: "message", data: "1" }, { event: "message", data: "2" }]],
  ["several lines of data", ["data: 1\ndata: 2\n\n"], [{ event: "message", data: "1\n2" }]],
  ["lines that end with CRLF, cut in between", ["event: a\r", "\ndata: 1\r\n\r", "\nevent: b\r\ndata: 2\r\n\r\n"], [{ event: "a", data: "1" }, { event: "b", data: "2" }]],
  ["comments and unknown fields", [": hello\nid: 3\nretry: 1\ndata:x\n\n"], [{ event: "message", data: "x" }]],
  ["an event without data", ["event: a\n\ndata: 1\n\n"], [{ event: "message", data: "1" }]],
  ["an event without its end", ["data: 1\n"], []],
])("reads %s", async (_, chunks, events) => expect(await read(...chunks)).toEqual(events));
