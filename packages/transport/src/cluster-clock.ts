/** Cluster time: passes `speed` times as fast as the wall clock, and not at all while frozen. */
export class ClusterClock {
  readonly #nowUs: () => number;
  #speed = 1;
  #frozen = true;
  /** Where both clocks stood when speed or freeze changed last. */
  #wallUs: number;
  #clusterUs = 0;

  /** Frozen at first. `nowUs`: the machine's monotonic clock, microseconds. */
  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#wallUs = nowUs();
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  get speed(): number {
    return this.#speed;
  }

  /** False: it already was so. */
  set(speed: number, frozen: boolean): boolean {
    if (speed === this.#speed && frozen === this.#frozen) return false;
    const nowUs = this.#nowUs();
    this.#clusterUs = this.#toClusterUs(nowUs);
    this.#wallUs = nowUs;
    this.#speed = speed;
    this.#frozen = frozen;
    return true;
  }

  nowUs(): number {
    return this.#toClusterUs(this.#nowUs());
  }

  /** How much cluster time has passed since then, at the speed that is set now. */
  sinceUs(wallUs: number): number {
    return this.#frozen ? 0 : Math.max(0, this.#nowUs() - wallUs) * this.#speed;
  }

  /** The wall clock at that moment of cluster time, if nothing is changed until then. */
  toWallUs(clusterUs: number): number {
    return this.#wallUs + (clusterUs - this.#clusterUs) / this.#speed;
  }

  #toClusterUs(wallUs: number): number {
    return this.#frozen ? this.#clusterUs : this.#clusterUs + (wallUs - this.#wallUs) * this.#speed;
  }
}
