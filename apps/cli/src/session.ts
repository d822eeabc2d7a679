/** What every command has at hand: its options, its connection, and ways to report. */
import type { Failure, Outcome, RaftClient } from "@raftarium/client";
import { Option } from "commander";
import type { Command } from "commander";
import {
  DEFAULT_ENDPOINTS,
  DEFAULT_PLAYGROUND,
  connectNodes,
  connectPlayground,
  parseEndpoints,
  parseUrl,
} from "./connection.ts";
import { EXIT } from "./exit-code.ts";
import type { ExitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { parseChoice, parseTimeout } from "./text.ts";
import type { Timeout } from "./text.ts";

/** An election in slow motion takes its time. */
const TIMEOUT: Timeout = { callMs: 30_000, checkMs: 30_000 };

export interface GlobalOptions {
  readonly endpoints: readonly string[];
  readonly playground: string;
  readonly output: "text" | "json";
  readonly timeout: Timeout;
}

export function addGlobalOptions(program: Command): void {
  program
    .addOption(
      new Option("--endpoints <list>", "nodes to ask: host:port,host:port…")
        .argParser(parseEndpoints)
        .default(DEFAULT_ENDPOINTS, "127.0.0.1:7101 to 7105"),
    )
    .addOption(
      new Option("--playground <url>", "the playground, for faults")
        .argParser(parseUrl)
        .default(DEFAULT_PLAYGROUND),
    )
    .addOption(
      new Option("--output <format>", "text or json")
        .argParser(parseChoice(["text", "json"]))
        .default("text"),
    )
    .addOption(
      new Option("--timeout <duration>", "for the whole call: 500ms, 5s, 1m")
        .argParser(parseTimeout)
        .default(TIMEOUT, "30s"),
    );
}

/** One run of one command. */
export interface Session {
  readonly io: Io;
  readonly options: GlobalOptions;
  /** What the command line asks for can't be told from it alone. */
  usage(text: string): ExitCode;
  json(value: unknown): void;
  line(text: string): void;
  failure(failure: Failure): ExitCode;
  /** Prints the value of an outcome in either form, or why there is none. */
  report<Value>(
    outcome: Outcome<Value>,
    toText: (value: Value) => string | null,
    toJson: (value: Value) => object,
  ): ExitCode;
  withNodes(act: (client: RaftClient) => Promise<ExitCode>): Promise<ExitCode>;
  withPlayground(act: (client: RaftClient) => Promise<ExitCode>): Promise<ExitCode>;
}

export function createSession(io: Io, options: GlobalOptions): Session {
  const json = (value: unknown): void => io.write(`${JSON.stringify(value)}\n`);
  const line = (text: string): void => io.write(`${text}\n`);
  const asJson = options.output === "json";

  const failure = (failed: Failure): ExitCode => {
    if (asJson) json(failed);
    else {
      const where = failed.endpoint === "" ? "" : ` (${failed.endpoint})`;
      io.complain(`${failed.outcome}: ${failed.code}: ${failed.message}${where}`);
      if (failed.message.includes("ECONNREFUSED")) {
        io.complain("Nothing listens there. Does it run? --endpoints and --playground say where.");
      }
      if (failed.outcome === "unknown") {
        io.complain(
          "It may have taken effect, or may yet. Look at the state before you try again.",
        );
      }
    }
    return EXIT[failed.outcome];
  };

  return {
    io,
    options,
    json,
    line,
    failure,
    usage(text) {
      io.complain(`error: ${text}`);
      return EXIT.usage;
    },
    report(outcome, toText, toJson) {
      if (outcome.outcome !== "ok") return failure(outcome);
      if (asJson) json({ outcome: "ok", ...toJson(outcome.value) });
      else {
        const text = toText(outcome.value);
        if (text !== null) line(text);
      }
      return EXIT.ok;
    },
    async withNodes(act) {
      const connection = connectNodes(options.endpoints, options.timeout.callMs, io.signal);
      try {
        return await act(connection.client);
      } finally {
        connection.close();
      }
    },
    async withPlayground(act) {
      const connection = connectPlayground(options.playground, options.timeout.callMs, io.signal);
      try {
        return await act(connection.client);
      } finally {
        connection.close();
      }
    },
  };
}
