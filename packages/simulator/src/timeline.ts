/**
 * Virtual time: tasks ordered by (time, sequence of scheduling). A binary heap on three plain
 * arrays, and a queue of its own for what is due now, because most tasks are.
 */
export type Task = () => void;

export interface Timeline {
  /** Virtual microseconds since the start. */
  nowUs(): number;
  /** Runs `task` after everything that is due by then and was scheduled before. */
  after(delayUs: number, task: Task): void;
  /** Runs `task` now, after everything that is already due. */
  soon(task: Task): void;
  /** Runs the next task. False: nothing is left before `untilUs`, which is the time now. */
  step(untilUs: number): boolean;
  /** Tasks run so far. */
  readonly stepCount: number;
}

export function createTimeline(): Timeline {
  let nowUs = 0;
  let sequence = 0;
  let stepCount = 0;

  const times: number[] = [];
  const sequences: number[] = [];
  const tasks: Task[] = [];

  // A ring of tasks due now. Those in the heap with the same time were scheduled before.
  let due: Task[] = [];
  let dueHead = 0;

  function push(timeUs: number, task: Task): void {
    sequence += 1;
    const order = sequence;
    let hole = times.length;
    times.push(timeUs);
    sequences.push(order);
    tasks.push(task);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // The new one has the highest sequence: it rises only past later times.
      if (times[parent]! <= timeUs) break;
      move(parent, hole);
      hole = parent;
    }
    place(hole, timeUs, order, task);
  }

  function pop(): Task {
    const first = tasks[0]!;
    const timeUs = times.pop()!;
    const order = sequences.pop()!;
    const task = tasks.pop()!;
    const count = times.length;
    if (count === 0) return first;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= count) break;
      if (child + 1 < count && isBefore(child + 1, times[child]!, sequences[child]!)) child += 1;
      if (!isBefore(child, timeUs, order)) break;
      move(child, hole);
      hole = child;
    }
    place(hole, timeUs, order, task);
    return first;
  }

  function isBefore(slot: number, timeUs: number, order: number): boolean {
    const time = times[slot]!;
    return time < timeUs || (time === timeUs && sequences[slot]! < order);
  }

  function move(from: number, to: number): void {
    place(to, times[from]!, sequences[from]!, tasks[from]!);
  }

  function place(slot: number, timeUs: number, order: number, task: Task): void {
    times[slot] = timeUs;
    sequences[slot] = order;
    tasks[slot] = task;
  }

  function takeDue(): Task {
    const task = due[dueHead]!;
    dueHead += 1;
    if (dueHead === due.length) {
      due.length = 0;
      dueHead = 0;
    } else if (dueHead > 1024) {
      due = due.slice(dueHead);
      dueHead = 0;
    }
    return task;
  }

  return {
    nowUs: () => nowUs,
    after(delayUs, task) {
      if (delayUs <= 0) due.push(task);
      else push(nowUs + delayUs, task);
    },
    soon(task) {
      due.push(task);
    },
    step(untilUs) {
      const heapIsDue = times.length > 0 && times[0]! <= nowUs;
      if (!heapIsDue && dueHead < due.length) {
        stepCount += 1;
        takeDue()();
        return true;
      }
      if (times.length === 0 || times[0]! > untilUs) {
        nowUs = Math.max(nowUs, untilUs);
        return false;
      }
      nowUs = times[0]!;
      stepCount += 1;
      pop()();
      return true;
    },
    get stepCount() {
      return stepCount;
    },
  };
}
