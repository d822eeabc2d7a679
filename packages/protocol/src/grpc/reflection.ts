/** grpc.reflection.v1: lets `buf curl --reflect` and grpcurl talk to a server without our protos. */
import type { DescFile, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { createRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status as Status } from "@grpc/grpc-js";
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import type { ServiceImplementation } from "./service.ts";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;

/** Answers for these services and every type they mention. */
export function createReflection(
  services: readonly DescService[],
): ServiceImplementation<typeof ServerReflection> {
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(collect);
  };
  for (const service of services) collect(service.file);
  const registry = createRegistry(...files.values());

  // A method or an enum value is asked for by the name of what it stands in, and its own.
  const fileOfSymbol = (symbol: string): DescFile | undefined =>
    registry.get(symbol)?.file ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")))?.file;

  const answer = (request: ServerReflectionRequest["messageRequest"]): Answer => {
    switch (request.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: services.map((service) => ({ name: service.typeName })) },
        };
      case "fileByFilename":
        return filesAnswer(files.get(request.value), `file ${request.value}`);
      case "fileContainingSymbol":
        return filesAnswer(fileOfSymbol(request.value), `symbol ${request.value}`);
      case "fileContainingExtension":
      case "allExtensionNumbersOfType":
        return errorAnswer(Status.NOT_FOUND, "cannot find an extension: this server has none");
      case undefined:
        return errorAnswer(
          Status.INVALID_ARGUMENT,
          "cannot answer: expected message_request to be set, got nothing",
        );
    }
  };

  return {
    serverReflectionInfo(call) {
      call.on("data", (request: ServerReflectionRequest) =>
        call.write({
          validHost: request.host,
          originalRequest: request,
          messageResponse: answer(request.messageRequest),
        }),
      );
      call.on("end", () => call.end());
    },
  };
}

/** The file and all that it imports, imports last: one answer is enough to build a registry. */
function filesAnswer(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) {
    return errorAnswer(Status.NOT_FOUND, `cannot find ${what}: expected one that is served here`);
  }
  const found = new Set<DescFile>();
  const visit = (next: DescFile): void => {
    if (found.has(next)) return;
    found.add(next);
    next.dependencies.forEach(visit);
  };
  visit(file);
  return {
    case: "fileDescriptorResponse",
    value: {
      fileDescriptorProto: [...found].map(({ proto }) =>
        toBinary(FileDescriptorProtoSchema, proto),
      ),
    },
  };
}

function errorAnswer(code: Status, message: string): Answer {
  return { case: "errorResponse", value: { errorCode: code, errorMessage: message } };
}
