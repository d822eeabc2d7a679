/** Health and reflection, called directly; test/parity has real clients call them. */
import { EventEmitter } from "node:events";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { HealthCheckResponse_ServingStatus as ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import type { ServerReflectionRequest } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { PlaygroundService } from "../gen/raftarium/playground/v1/playground_pb.ts";
import { createHealth } from "./health.ts";
import { createReflection } from "./reflection.ts";

class FakeCall extends EventEmitter {
  readonly request: { readonly service: string };
  readonly written: unknown[] = [];
  ended = false;

  constructor(service = "") {
    super();
    this.request = { service };
  }

  write(message: unknown): void {
    if (this.ended) throw new Error("written after its end");
    this.written.push(message);
  }

  end(): void {
    this.ended = true;
  }
}

test("a watcher of one service is told of that one, each change once", () => {
  const health = createHealth();
  const [kv, all] = [new FakeCall("kv"), new FakeCall("")];
  for (const call of [kv, all]) health.implementation.watch(call as never);
  health.setServing("kv", true);
  health.setServing("kv", true);
  health.setServing("", true);
  health.setServing("kv", false);
  expect(kv.written).toEqual([
    { status: ServingStatus.SERVICE_UNKNOWN },
    { status: ServingStatus.SERVING },
    { status: ServingStatus.NOT_SERVING },
  ]);
  expect(all.written).toEqual([
    { status: ServingStatus.SERVICE_UNKNOWN },
    { status: ServingStatus.SERVING },
  ]);
  kv.emit("cancelled");
  health.setServing("kv", true);
  expect(kv.written).toHaveLength(3);
  health.close();
  expect(all.ended).toBe(true);
  health.setServing("", false);
  expect(all.written).toHaveLength(2);
});

interface Answer {
  readonly messageResponse: {
    readonly case: string;
    readonly value: {
      readonly fileDescriptorProto: readonly Uint8Array[];
      readonly errorCode?: number;
      readonly errorMessage?: string;
    };
  };
}

function ask(messageRequest: ServerReflectionRequest["messageRequest"]): Answer["messageResponse"] {
  const call = new FakeCall();
  createReflection([PlaygroundService]).serverReflectionInfo(call as never);
  call.emit("data", { host: "here", messageRequest });
  const [answer] = call.written as Answer[];
  if (answer === undefined) throw new Error("no answer");
  return answer.messageResponse;
}

const filesOf = ({ value }: Answer["messageResponse"]): string[] =>
  value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);

const PLAYGROUND_FILES = [
  "raftarium/playground/v1/playground.proto",
  "raftarium/control/v1/control.proto",
  "raftarium/observer/v1/observer.proto",
  "raftarium/raft/v1/raft.proto",
];

test.each([
  "raftarium.playground.v1.PlaygroundService",
  "raftarium.playground.v1.PlaygroundService.SetLink",
  "raftarium.playground.v1.SetLinkRequest",
])("the file of %s comes with all that it imports", (symbol) => {
  expect(filesOf(ask({ case: "fileContainingSymbol", value: symbol }))).toEqual(PLAYGROUND_FILES);
});

test("a file is found by its name", () => {
  const name = "raftarium/raft/v1/raft.proto";
  expect(filesOf(ask({ case: "fileByFilename", value: name }))).toEqual([name]);
});

test("what is not there, and what is not asked, gets an error and not the end of the stream", () => {
  const unknown = ask({ case: "fileContainingSymbol", value: "some.Thing" });
  expect(unknown).toEqual({
    case: "errorResponse",
    value: {
      errorCode: status.NOT_FOUND,
      errorMessage: "cannot find symbol some.Thing: expected one that is served here",
    },
  });
  expect(ask({ case: "fileByFilename", value: "a.proto" }).value.errorCode).toBe(status.NOT_FOUND);
  expect(ask({ case: "allExtensionNumbersOfType", value: "a.B" }).value.errorCode).toBe(
    status.NOT_FOUND,
  );
  expect(ask({ case: undefined }).value.errorCode).toBe(status.INVALID_ARGUMENT);
});
