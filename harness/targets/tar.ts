/** The first entry of a tar archive (POSIX ustar): what a daemon sends for a single path. */

export type TarEntry =
  | { readonly type: 'file'; readonly content: Buffer }
  | { readonly type: 'link'; readonly target: string };

const BLOCK = 512;
const [SIZE, TYPE, LINK] = [124, 156, 157];

/** Undefined: a directory, something else, or an archive that is cut off. */
export function firstFile(archive: Buffer): TarEntry | undefined {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const sizeBytes = Number.parseInt(text(archive, at + SIZE, 12), 8);
    if (!Number.isInteger(sizeBytes)) return undefined;
    const type = String.fromCharCode(archive[at + TYPE]!);
    // Headers that extend the next one: long names, times.
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      at += BLOCK + Math.ceil(sizeBytes / BLOCK) * BLOCK;
      continue;
    }
    if (type === '2') return { type: 'link', target: text(archive, at + LINK, 100) };
    const content = archive.subarray(at + BLOCK, at + BLOCK + sizeBytes);
    const isFile = type === '0' || type === '\0';
    return isFile && content.length === sizeBytes ? { type: 'file', content } : undefined;
  }
  return undefined;
}

function text(archive: Buffer, at: number, length: number): string {
  const [field = ''] = archive.toString('latin1', at, at + length).split('\0');
  return field.trim();
}
