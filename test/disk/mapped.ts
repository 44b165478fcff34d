/** Mapped files, and what else Node has no call for: by a program for python3, if there is one. */

import { spawnSync } from 'node:child_process';

/**
 * Shared writable mappings, read-only ones beside pwrite as databases use them, renameat2 with
 * NOREPLACE, and posix_fallocate: done to the same files below both roots.
 */
const PROGRAM = `
import ctypes, mmap, os, random, sys
roots, seed = sys.argv[1:3], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
def die(*words):
    print(*words); sys.exit(1)
def both(what, act):
    found = [act(i) for i in (0, 1)]
    if found[0] != found[1]: die(what, 'seed', seed, str(found[0])[:80], str(found[1])[:80])
rng = random.Random(seed)
paths = [os.path.join(root, 'mapped') for root in roots]
fds = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in paths]
size = 4096 * rng.randint(2, 40) + rng.randint(0, 4095)
for fd in fds: os.ftruncate(fd, size)
maps = [mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) for fd in fds]
views = [mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ) for fd in fds]
for step in range(40):
    at = rng.randrange(size); length = min(rng.randint(1, 9000), size - at)
    data = bytes([rng.randint(0, 255)]) * length
    kind = rng.randrange(6)
    if kind == 0:
        for m in maps: m[at:at + length] = data
    elif kind == 1:
        for fd in fds: os.pwrite(fd, data, at)
    elif kind == 2: both('read through a map', lambda i: maps[i][at:at + length])
    elif kind == 3: both('read through a read-only map', lambda i: views[i][at:at + length])
    elif kind == 4: both('pread', lambda i: os.pread(fds[i], length, at))
    else:
        for m in maps: m.flush()
for m in maps + views: m.close()
if rng.randrange(3) == 0:
    for fd in fds: os.posix_fallocate(fd, 0, size + 5000)
both('content', lambda i: os.pread(fds[i], size + 9000, 0))
for fd in fds: os.close(fd)
def noreplace(i):
    ctypes.set_errno(0)
    done = libc.renameat2(-100, os.fsencode(paths[i]), -100, os.fsencode(paths[i] + '2'), 1)
    return done, ctypes.get_errno()
both('renameat2', noreplace)
both('names', lambda i: sorted(n for n in os.listdir(roots[i]) if n.startswith('mapped')))
for i in (0, 1):
    if seed % 2 and os.path.exists(paths[i] + '2'): os.unlink(paths[i] + '2')
`;

let hasPython: boolean | undefined;

/** In words what differs; else whether there was a program to compare with. */
export function compareMapped(
  { disk, plain }: { readonly disk: string; readonly plain: string },
  seed: number,
): string | boolean {
  hasPython ??= spawnSync('python3', ['--version']).status === 0;
  if (!hasPython) return false;
  const run = spawnSync('python3', ['-c', PROGRAM, disk, plain, String(seed)], {
    encoding: 'utf8',
  });
  return run.status === 0 ? true : `mapped files: ${run.stdout}${run.stderr}`;
}
