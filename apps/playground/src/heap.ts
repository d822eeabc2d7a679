export interface Heap<T> {
  push(item: T): void;
  pop(): T | undefined;
  peek(): T | undefined;
}

/** A binary heap; the least item by `compare` comes first. */
export function createHeap<T>(compare: (left: T, right: T) => number): Heap<T> {
  const items: T[] = [];
  const at = (index: number) => items[index] as T;

  function swap(left: number, right: number): void {
    const item = at(left);
    items[left] = at(right);
    items[right] = item;
  }

  return {
    peek: () => items[0],
    push(item) {
      items.push(item);
      let index = items.length - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (compare(at(index), at(parent)) >= 0) break;
        swap(index, parent);
        index = parent;
      }
    },
    pop() {
      const first = items[0];
      const last = items.pop();
      if (items.length === 0 || last === undefined) return first;
      items[0] = last;
      let index = 0;
      for (;;) {
        const left = 2 * index + 1;
        if (left >= items.length) break;
        const right = left + 1;
        const least = right < items.length && compare(at(right), at(left)) < 0 ? right : left;
        if (compare(at(index), at(least)) <= 0) break;
        swap(index, least);
        index = least;
      }
      return first;
    },
  };
}
