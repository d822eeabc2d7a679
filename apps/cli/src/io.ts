/** The world around one run of the client, so that tests can hand in their own. */
export interface Io {
  /** Whether standard output is a terminal: then what keys and values hold is made safe. */
  readonly terminal: boolean;
  write(chunk: string | Uint8Array): void;
  complain(text: string): void;
  readInput(): Promise<Uint8Array>;
  /** Aborted by the first Ctrl-C, which ends the call under way; the second one ends the process. */
  readonly signal: AbortSignal;
}

export function processIo(): Io {
  const ending = new AbortController();
  process.once("SIGINT", () => ending.abort());
  // Whoever reads may have seen enough (`| head`).
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  return {
    terminal: process.stdout.isTTY,
    write: (chunk) => void process.stdout.write(chunk),
    complain: (text) => void process.stderr.write(`${text}\n`),
    async readInput() {
      const chunks: Uint8Array[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
      return Buffer.concat(chunks);
    },
    signal: ending.signal,
  };
}
