/** The machine's monotonic clock, microseconds: the one that every node stamps with. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
