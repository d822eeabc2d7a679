/** What a scene is made of. Lengths are pixels, angles radians, y grows downwards. */
import type { ClusterNode, MessageFlight } from "@raftarium/observer";

export type NodeId = ClusterNode["nodeId"];
export type Term = ClusterNode["term"];
export type Role = ClusterNode["role"];
export type Health = ClusterNode["health"];

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export type LabelSide = "above" | "below" | "left" | "right";

/** Where one node stands, and on which side of it its name is written. */
export interface Place extends Point {
  readonly nodeId: NodeId;
  readonly labelSide: LabelSide;
}

export interface Layout {
  readonly size: Size;
  readonly centre: Point;
  /** Half axes of the ring that the nodes stand on. */
  readonly ringX: number;
  readonly ringY: number;
  /** Of a node's disc; the timer's arc runs outside it, at `timerRadius`. */
  readonly nodeRadius: number;
  readonly timerRadius: number;
  /** Marks of messages are drawn at this multiple of their natural size. */
  readonly scale: number;
  readonly places: ReadonlyMap<NodeId, Place>;
}

export type VoteState = "granted" | "rejected" | "pending";

export interface VoteDot extends Point {
  readonly voterId: NodeId;
  readonly state: VoteState;
}

/** One cell of the strip of newest log entries beside a node's name. */
export interface StripCell extends Point {
  readonly nodeId: NodeId;
  readonly index: number;
  readonly term: Term;
  readonly committed: boolean;
  /** Since when it is known here to be committed, microseconds; 0: long since, or not yet. */
  readonly committedAtUs: number;
  /** Its node has no process. */
  readonly faint: boolean;
  readonly width: number;
  readonly height: number;
}

export interface NodeMark extends Point {
  readonly nodeId: NodeId;
  readonly role: Role;
  readonly health: Health;
  readonly term: Term;
  readonly radius: number;
  readonly timerRadius: number;
  /** True: no process, or one that has not spoken yet. What is drawn is what was last known. */
  readonly faint: boolean;
  readonly votes: readonly VoteDot[];
  readonly preVote: boolean;
  readonly name: string;
  /** What it does, in the words of a person: "asking for votes". */
  readonly word: string;
  readonly nameAt: Point;
  readonly wordAt: Point;
  /** Where both lines of text begin, end or have their middle. */
  readonly textAnchor: "start" | "middle" | "end";
}

/** The line between two nodes; its two lanes carry one direction each. */
export interface LinkMark {
  /** The lower id. */
  readonly a: NodeId;
  readonly b: NodeId;
  readonly from: Point;
  readonly to: Point;
  /** SVG paths of the lanes that are slow (they bend) or lose messages (they are dashed). */
  readonly lanes: readonly { readonly path: string; readonly lossy: boolean }[];
  readonly cutAb: boolean;
  readonly cutBa: boolean;
  /** An end has no running process: nothing can pass. */
  readonly dead: boolean;
  /** In words, at most one line for each direction: "120 ms", "30 % lost". */
  readonly labels: readonly (Point & { readonly text: string })[];
}

/** A row of dots at which messages stop. */
export interface WallMark {
  readonly key: string;
  readonly dots: readonly Point[];
  readonly label: (Point & { readonly text: string }) | null;
}

export interface TimerMark extends Point {
  readonly nodeId: NodeId;
  readonly term: Term;
  readonly radius: number;
  /** What is left of it, 0 to 1. */
  readonly remaining: number;
  readonly faint: boolean;
}

/** A message at its true place. */
export interface MessageMark extends Point {
  readonly key: string;
  readonly flight: MessageFlight;
  readonly term: Term;
  readonly angle: number;
  /** Where its tail begins. */
  readonly tail: Point;
  /** SVG path of its outline around (0, 0), pointing along x; see `shapes.ts`. */
  readonly shape: MessageShape;
  /** 0 to 1; below 1 once it has ended. */
  readonly opacity: number;
  /** "+" or "-" beside a reply, else empty. */
  readonly sign: string;
  /** Ended before its receiver: draw a cross over it. */
  readonly crossed: boolean;
}

export interface MessageShape {
  readonly outline: string;
  /** Strokes inside the outline: a notch for each entry, the progress of a snapshot. */
  readonly inner: string;
  readonly filled: boolean;
  readonly dashed: boolean;
}

/**
 * Messages of one direction that were too quick, or too many, to be seen one by one: one short
 * light on their lane, with the latency that was measured.
 */
export interface PulseMark {
  readonly key: string;
  readonly source: NodeId;
  readonly target: NodeId;
  readonly from: Point;
  readonly to: Point;
  readonly term: Term;
  /** 0 to 1. */
  readonly opacity: number;
  readonly count: number;
  readonly latencyUs: number;
  readonly label: Point & { readonly text: string };
}

/** What stands still until an observation changes it. */
export interface Stage {
  readonly layout: Layout;
  readonly nodes: readonly NodeMark[];
  readonly strips: readonly StripCell[];
  readonly links: readonly LinkMark[];
  readonly walls: readonly WallMark[];
  /** How far a message may get on a lane, by `linkKey`: 0 to 1. Absent: to its receiver. */
  readonly stops: ReadonlyMap<string, number>;
  /** How much a lane bends, pixels, by `linkKey`. */
  readonly bends: ReadonlyMap<string, number>;
}

/** What moves with time. */
export interface Motion {
  readonly timers: readonly TimerMark[];
  readonly messages: readonly MessageMark[];
  readonly pulses: readonly PulseMark[];
}

export interface Scene {
  readonly timeUs: number;
  readonly stage: Stage;
  readonly motion: Motion;
}
