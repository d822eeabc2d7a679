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
  return new VirtualTimeline();
}

/**
 * A class, as is all that every event goes through: of an object literal with a getter the engine
 * would make another shape for each seed, and look up its members by name at every event.
 */
class VirtualTimeline implements Timeline {
  stepCount = 0;
  #nowUs = 0;
  #sequence = 0;

  readonly #times: number[] = [];
  readonly #sequences: number[] = [];
  readonly #tasks: Task[] = [];

  /** A ring of tasks due now. Those in the heap with the same time were scheduled before. */
  #due: Task[] = [];
  #dueHead = 0;

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayUs: number, task: Task): void {
    if (delayUs <= 0) this.#due.push(task);
    else this.#push(this.#nowUs + delayUs, task);
  }

  soon(task: Task): void {
    this.#due.push(task);
  }

  step(untilUs: number): boolean {
    const times = this.#times;
    const heapIsDue = times.length > 0 && times[0]! <= this.#nowUs;
    if (!heapIsDue && this.#dueHead < this.#due.length) {
      this.stepCount += 1;
      this.#takeDue()();
      return true;
    }
    if (times.length === 0 || times[0]! > untilUs) {
      this.#nowUs = Math.max(this.#nowUs, untilUs);
      return false;
    }
    this.#nowUs = times[0]!;
    this.stepCount += 1;
    this.#pop()();
    return true;
  }

  #takeDue(): Task {
    const task = this.#due[this.#dueHead]!;
    this.#dueHead += 1;
    if (this.#dueHead === this.#due.length) {
      this.#due.length = 0;
      this.#dueHead = 0;
    } else if (this.#dueHead > 1024) {
      this.#due = this.#due.slice(this.#dueHead);
      this.#dueHead = 0;
    }
    return task;
  }

  #push(timeUs: number, task: Task): void {
    this.#sequence += 1;
    const times = this.#times;
    let hole = times.length;
    times.push(timeUs);
    this.#sequences.push(this.#sequence);
    this.#tasks.push(task);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // The new one has the highest sequence: it rises only past later times.
      if (times[parent]! <= timeUs) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#place(hole, timeUs, this.#sequence, task);
  }

  #pop(): Task {
    const first = this.#tasks[0]!;
    const times = this.#times;
    const timeUs = times.pop()!;
    const order = this.#sequences.pop()!;
    const task = this.#tasks.pop()!;
    const count = times.length;
    if (count === 0) return first;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= count) break;
      const right = child + 1;
      if (right < count && this.#isBefore(right, times[child]!, this.#sequences[child]!)) {
        child = right;
      }
      if (!this.#isBefore(child, timeUs, order)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#place(hole, timeUs, order, task);
    return first;
  }

  #isBefore(slot: number, timeUs: number, order: number): boolean {
    const time = this.#times[slot]!;
    return time < timeUs || (time === timeUs && this.#sequences[slot]! < order);
  }

  #move(from: number, to: number): void {
    this.#place(to, this.#times[from]!, this.#sequences[from]!, this.#tasks[from]!);
  }

  #place(slot: number, timeUs: number, order: number, task: Task): void {
    this.#times[slot] = timeUs;
    this.#sequences[slot] = order;
    this.#tasks[slot] = task;
  }
}
