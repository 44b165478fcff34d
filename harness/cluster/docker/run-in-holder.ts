/** Commands in a node's holder: it has the volume with the files, and outlives the server. */
import { buffer } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { tolerate } from './daemon.ts';
import { demuxLogs } from './log-frames.ts';

/** Answers what the command said; ClusterError on an exit code that is not listed. */
export async function runInHolder(
  { name, holder }: { readonly name: string; readonly holder: Dockerode.Container },
  command: readonly string[],
  exitCodes: readonly number[] = [0],
): Promise<string> {
  let said = '';
  await tolerate(`running ${command.join(' ')} in ${name}`, [], async () => {
    const exec = await holder.exec({
      Cmd: [...command],
      AttachStdout: true,
      AttachStderr: true,
    });
    said = demuxLogs(await buffer(await exec.start({ hijack: true, stdin: false }))).toString();
    const { ExitCode } = await exec.inspect();
    if (!exitCodes.includes(ExitCode ?? -1)) throw new Error(`exit code ${ExitCode}: ${said}`);
  });
  return said;
}
