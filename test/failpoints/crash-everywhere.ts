/**
 * `node test/failpoints/crash-everywhere.ts [1|3] [POINT …]`: a panic at every failpoint, or at those
 * named, of one member alone and of three, or of so many, under writes. Prints a table; ends with 1 if anything
 * acknowledged is lost, members differ, or one does not die at the point. Takes some minutes.
 */
import { FAILPOINT_NAMES, type FailpointName } from '../../src/ports/failpoints.ts';
import { CrashLab, type CrashReport, needsPeers, OCCASIONS } from './crash-lab.ts';

const SIZES = [1, 3] as const;

function isGood({ point, died, lost, hashes }: CrashReport): boolean {
  const isAtPoint = died.endsWith(`exit 2, panic: failpoint panic: ${point}`);
  return isAtPoint && lost.length === 0 && new Set(hashes).size === 1;
}

function lineOf(report: CrashReport): string {
  const { point, size, died, diedAfterMs, restartMs, acknowledged, lost, hashes } = report;
  const hash = new Set(hashes).size === 1 ? 'equal' : hashes.join(' != ');
  const words = [size, point, died, diedAfterMs, restartMs, acknowledged, lost.length, hash];
  return `| ${words.join(' | ')} | ${isGood(report) ? 'ok' : 'BAD'} |`;
}

async function crashAtAll(size: number, points: readonly FailpointName[]): Promise<boolean> {
  let isAllGood = true;
  const crash = async (lab: CrashLab, point: FailpointName): Promise<void> => {
    const report = await lab.crashAt(point);
    isAllGood &&= isGood(report);
    process.stdout.write(`${lineOf(report)}\n`);
  };
  const isFirst = (point: FailpointName): boolean => OCCASIONS[point] === 'first start';
  for (const point of points.filter(isFirst)) {
    await using lab = await CrashLab.open(size);
    await crash(lab, point);
  }
  await using lab = await CrashLab.open(size);
  await lab.start();
  for (const point of points) if (!isFirst(point)) await crash(lab, point);
  return isAllGood;
}

const asked = process.argv.slice(2);
const named = FAILPOINT_NAMES.filter((name) => asked.includes(name));
const points = named.length === 0 ? FAILPOINT_NAMES : named;
const sizes = SIZES.filter((size) => asked.includes(String(size)));
process.stdout.write(
  '| members | point | died | after ms | restart ms | acknowledged | lost | HashKV | |\n' +
    '|---|---|---|---|---|---|---|---|---|\n',
);
let isAllGood = true;
for (const size of sizes.length === 0 ? SIZES : sizes) {
  const possible = points.filter((point) => size > 1 || !needsPeers(point));
  isAllGood = (await crashAtAll(size, possible)) && isAllGood;
}
process.exitCode = isAllGood ? 0 : 1;
