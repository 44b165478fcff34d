/** Takes apart what the daemon answers for the logs of a container without a terminal. */

/** A frame's head: stream (1 byte), three zero bytes, length of the text (4 bytes, big-endian). */
const HEAD_BYTES = 8;

/** The text of both streams, in the order of writing. A frame cut short at the end is kept. */
export function demuxLogs(framed: Buffer): Buffer {
  const texts: Buffer[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= framed.length) {
    const textBytes = framed.readUInt32BE(at + 4);
    at += HEAD_BYTES;
    texts.push(framed.subarray(at, at + textBytes));
    at += textBytes;
  }
  return Buffer.concat(texts);
}
