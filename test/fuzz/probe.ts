/**
 * Loaded into a member before its own code (`--expose-gc --import`): at SIGUSR2 it collects all
 * garbage and prints on one line what it holds.
 */
function collect(): void {
  // Twice: what the first one frees outside the heap is given back after it.
  globalThis.gc?.();
  globalThis.gc?.();
  setTimeout(() => {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) {
      resources[name] = (resources[name] ?? 0) + 1;
    }
    process.stderr.write(`probe ${JSON.stringify({ rss, heapUsed, external, resources })}\n`);
  }, 200);
}

process.on('SIGUSR2', collect);
