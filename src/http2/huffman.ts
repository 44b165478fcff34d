/**
 * The Huffman code of header strings: RFC 7541 §5.2 and appendix B. The code is canonical
 * (codes count up by length, then by symbol), so the lengths say everything.
 *
 * Decoding goes four bits a step. A state is an inner node of the code's tree: how far into a
 * code the input is. The shortest code has five bits, so a step ends one symbol at most.
 */
import { assert } from '../lib/assert.ts';
import { textOfCodes } from './latin1.ts';

/** The text that `bytes` from `start` to `end` encode; undefined if they are no such code. */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number): string | undefined {
  steps ??= buildSteps();
  const codes: number[] = [];
  let state = ROOT;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const first = steps[(state << STEP_BITS) | (byte >>> STEP_BITS)]!;
    if (first & HAS_SYMBOL) codes.push(first & SYMBOL_MASK);
    const second = steps[((first >>> STATE_SHIFT) << STEP_BITS) | (byte & STEP_MASK)]!;
    if (second & HAS_SYMBOL) codes.push(second & SYMBOL_MASK);
    state = second >>> STATE_SHIFT;
  }
  return state <= PADDING_BITS_MAX ? textOfCodes(codes) : undefined;
}

const ROOT = 0;
/**
 * Whoever reads EOS stays here. The states 1 to 29 are the nodes on the way to EOS, so a state
 * up to this limit means: what is left over are as many one bits, the only padding allowed.
 */
const FAILED = 256;
const PADDING_BITS_MAX = 7;

/** Of a step: the state after it, whether a symbol ended, and which. */
const STATE_SHIFT = 9;
const HAS_SYMBOL = 0x100;
const SYMBOL_MASK = 0xff;
const STEP_BITS = 4;
const STEP_MASK = 0xf;

/** By state and next four bits. Built at the first use. */
let steps: Int32Array | undefined;

function buildSteps(): Int32Array {
  const tree = buildTree();
  const built = new Int32Array((FAILED + 1) << STEP_BITS);
  for (let state = ROOT; state < FAILED; state++) {
    for (let bits = 0; bits <= STEP_MASK; bits++) {
      built[(state << STEP_BITS) | bits] = stepFrom(tree, state, bits);
    }
  }
  return built.fill(FAILED << STATE_SHIFT, FAILED << STEP_BITS);
}

function stepFrom(tree: Int32Array, state: number, bits: number): number {
  let node = state;
  let ended = 0;
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    const next = tree[node * 2 + ((bits >>> bit) & 1)]!;
    if (next >= 0) {
      node = next;
      continue;
    }
    if (~next === EOS) return FAILED << STATE_SHIFT;
    ended = HAS_SYMBOL | ~next;
    node = ROOT;
  }
  return (node << STATE_SHIFT) | ended;
}

/**
 * Two children a node, for bit 0 and bit 1: a node, or the complement of a symbol. Codes are
 * counted down, so that the first is EOS, all ones, and its nodes get the lowest numbers.
 */
function buildTree(): Int32Array {
  const tree = new Int32Array(2 * FAILED);
  let nodes = 1;
  const symbols = CODE_BITS.map((_, symbol) => symbol);
  symbols.sort((a, b) => CODE_BITS[b]! - CODE_BITS[a]! || b - a);
  let length = CODE_BITS[EOS]!;
  let code = 2 ** length;
  for (const symbol of symbols) {
    code = (code >> (length - CODE_BITS[symbol]!)) - 1;
    length = CODE_BITS[symbol]!;
    let node = ROOT;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node * 2 + ((code >>> bit) & 1);
      if (tree[at] === 0) tree[at] = nodes++;
      node = tree[at]!;
    }
    tree[node * 2 + (code & 1)] = ~symbol;
  }
  assert(code === 0 && nodes === FAILED, 'the lengths of the Huffman code leave no gap');
  return tree;
}

/** The end of a string, which no string may hold. */
const EOS = 256;

/** Bits of the code of each byte, then of {@link EOS}; 16 a line. */
// biome-ignore format: a table
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
