/** One event of a stream: its name ("message" when it has none) and its data. */
export interface ServerEvent {
  event: string;
  data: string;
}

/**
 * Reads server-sent events (WHATWG HTML, section 9.2) from a body. The
 * browser's own EventSource cannot send the token.
 */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let rest = "";
  let event = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += value;
      // A line may end with "\r\n": the last "\r" waits for its "\n".
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
          event = "";
          data = [];
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line) ?? ["", "", ""];
        if (field === "event") event = text!;
        if (field === "data") data.push(text!);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
