/** Observations and the words they are made of, to raftarium.observer.v1 and back. */
import type { DescEnum } from "@bufbuild/protobuf";
import type {
  Health,
  LinkView,
  MessageId,
  MessageKind,
  NodeView,
  Observation,
} from "@raftarium/observer";
import type { Role } from "@raftarium/raft";
import type {
  LinkView as WireLinkView,
  MessageId as WireMessageId,
  NodeView as WireNodeView,
  Observation as WireObservation,
} from "./gen/raftarium/observer/v1/observer_pb.ts";
import {
  HealthSchema,
  LinkViewSchema,
  MessageIdSchema,
  MessageKindSchema,
  NodeViewSchema,
  ObservationSchema,
  RoleSchema,
} from "./gen/raftarium/observer/v1/observer_pb.ts";
import type {
  Health as WireHealth,
  MessageKind as WireMessageKind,
  Role as WireRole,
} from "./gen/raftarium/observer/v1/observer_pb.ts";
import { createMirror, enumeration } from "./mirror.ts";

const mirror = createMirror(
  "kind",
  new Set(["raftarium.observer.v1.TimerChanged.timer", "raftarium.observer.v1.NodeView.timer"]),
);

/** All of these throw CodecError on what has no counterpart. */
export function observationToWire(observation: Observation): WireObservation {
  return mirror.toWire(ObservationSchema, observation) as WireObservation;
}

export function observationFromWire(message: WireObservation): Observation {
  return mirror.toPlain(ObservationSchema, message) as Observation;
}

export function nodeViewToWire(view: NodeView): WireNodeView {
  return mirror.toWire(NodeViewSchema, view) as WireNodeView;
}

export function nodeViewFromWire(message: WireNodeView): NodeView {
  return mirror.toPlain(NodeViewSchema, message) as NodeView;
}

export function messageIdFromWire(message: WireMessageId): MessageId {
  return mirror.toPlain(MessageIdSchema, message) as MessageId;
}

export function linkToWire(link: LinkView): WireLinkView {
  return mirror.toWire(LinkViewSchema, link) as WireLinkView;
}

/** Takes a SetLinkRequest too: it has the same fields. */
export function linkFromWire(message: Omit<WireLinkView, "$typeName" | "$unknown">): LinkView {
  return mirror.toPlain(LinkViewSchema, message) as LinkView;
}

interface Words<Name, Number> {
  /** null becomes the zero value, UNSPECIFIED. */
  toWire(name: Name | null): Number;
  /** UNSPECIFIED becomes null. */
  fromWire(number: Number): Name | null;
}

export const roles = wordsOf<Role, WireRole>(RoleSchema);
export const healths = wordsOf<Health, WireHealth>(HealthSchema);
export const messageKinds = wordsOf<MessageKind, WireMessageKind>(MessageKindSchema);

function wordsOf<Name extends string, Number extends number>(desc: DescEnum): Words<Name, Number> {
  const { toPlain, toWire } = enumeration(desc.typeName, desc);
  return {
    toWire: (name) => (name === null ? 0 : toWire(name)) as Number,
    fromWire: (number) => (number === 0 ? null : (toPlain(number) as Name)),
  };
}
