/** Campaigns without clusters: cells end as the test says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CampaignRequest, campaignCommand } from '../../harness/campaign/campaign.ts';
import type { CellEnd, CellJob, CellRunner } from '../../harness/campaign/cell-runner.ts';
import { parseMatrix } from '../../harness/campaign/matrix-file.ts';
import { mergeCommand } from '../../harness/campaign/merge.ts';
import { VirtualClock } from '../harness/virtual-clock.ts';

export function endedWith(exitCode: number, version = 'etcd 9'): CellEnd {
  const why = exitCode === 0 ? '' : `because of ${exitCode}`;
  const versions = { target: version, code: version };
  return { exitCode, runDirectory: 'cells/x/run', versions, again: 'storm again', why };
}

type Ending = (job: CellJob, signal: AbortSignal) => CellEnd | Promise<CellEnd>;

/** Directories of campaigns, what was printed, and which cells ran. */
export class CampaignLab implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), 'storm-campaign-'));
  readonly lines: string[] = [];
  readonly ran: string[] = [];

  /** Exit status of one call. */
  campaign(
    text: string,
    ending: Ending,
    more: Partial<CampaignRequest> & { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    const { signal = new AbortController().signal, ...request } = more;
    const runner: CellRunner = {
      run: async (job, abort) => {
        this.ran.push(job.cell.id);
        return ending(job, abort);
      },
    };
    return campaignCommand(
      { clock: new VirtualClock(), progress: this.#progress(), signal },
      {
        file: { name: 'night', ...parseMatrix('night.yaml', text) },
        shard: { index: 1, count: 1 },
        directory: join(this.root, 'campaign'),
        keepGoing: false,
        again: false,
        junitFile: undefined,
        command: 'storm run --matrix night.yaml',
        ...request,
      },
      runner,
    );
  }

  merge(directories: readonly string[], junitFile?: string): Promise<number> {
    const request = {
      directories: directories.map((name) => join(this.root, name)),
      into: join(this.root, 'merged'),
      junitFile,
    };
    return mergeCommand({ progress: this.#progress() }, request);
  }

  /** Ids of the cells that ran since the last call. */
  takeRan(): string[] {
    return this.ran.splice(0);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #progress(): { print(line: string): void; live(): void } {
    return { print: (line) => this.lines.push(line), live: () => undefined };
  }
}
