/** Whether the server wants requests: what grpc.health.v1.Health tells load balancers. */
export class ServingStatus {
  private readonly watchers = new Set<() => void>();
  private pauses = 0;

  get isServing(): boolean {
    return this.pauses === 0;
  }

  /** It does not until the result is called, once. There may be several at a time. */
  pause(): () => void {
    this.pauses += 1;
    if (this.pauses === 1) this.tell();
    return () => {
      this.pauses -= 1;
      if (this.pauses === 0) this.tell();
    };
  }

  /** Calls back at each change, until the result is called. */
  watch(callback: () => void): () => void {
    this.watchers.add(callback);
    return () => {
      this.watchers.delete(callback);
    };
  }

  private tell(): void {
    for (const callback of this.watchers) callback();
  }
}
