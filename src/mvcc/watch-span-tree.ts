/**
 * Key intervals, each with a value, to find those that contain a name: a binary tree by start
 * whose nodes know the furthest end below them. It is balanced as a treap, with a counter's hash
 * in the place of chance, so that equal histories make equal trees.
 */
import { assert } from '../lib/assert.ts';

/** `end` is exclusive; undefined: no upper bound. */
export interface Interval {
  readonly from: string;
  readonly end: string | undefined;
}

interface Node<Value> extends Interval {
  readonly value: Value;
  readonly priority: number;
  left: Node<Value> | undefined;
  right: Node<Value> | undefined;
  /** The furthest end in this subtree. */
  furthest: string | undefined;
}

type Tree<Value> = Node<Value> | undefined;

/** Intervals are distinct; adding and removing cost a logarithm, finding one more per hit. */
export class SpanTree<Value> {
  #root: Tree<Value> = undefined;
  #count = 0;
  #seed = 0;

  get size(): number {
    return this.#count;
  }

  get({ from, end }: Interval): Value | undefined {
    let node = this.#root;
    while (node !== undefined) {
      const order = compareInterval(from, end, node);
      if (order === 0) return node.value;
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  }

  /** Adds an interval that is not there yet. */
  insert({ from, end }: Interval, value: Value): void {
    this.#seed = (this.#seed + 0x9e3779b9) >>> 0;
    const priority = scramble(this.#seed);
    const fresh = { from, end, value, priority, left: undefined, right: undefined, furthest: end };
    this.#root = insertInto(this.#root, fresh);
    this.#count++;
  }

  /** Takes out an interval that is there. */
  remove({ from, end }: Interval): void {
    this.#root = removeFrom(this.#root, from, end);
    this.#count--;
  }

  /** Calls `visit` for every interval that contains `name`, by start, then end. */
  visit(name: string, visit: (value: Value) => void): void {
    visitIn(this.#root, name, visit);
  }
}

function visitIn<Value>(node: Tree<Value>, name: string, visit: (value: Value) => void): void {
  if (node === undefined || !endsBehind(node.furthest, name)) return;
  visitIn(node.left, name, visit);
  if (node.from > name) return;
  if (endsBehind(node.end, name)) visit(node.value);
  visitIn(node.right, name, visit);
}

function endsBehind(end: string | undefined, name: string): boolean {
  return end === undefined || end > name;
}

function insertInto<Value>(node: Tree<Value>, fresh: Node<Value>): Node<Value> {
  if (node === undefined) return fresh;
  const order = compareInterval(fresh.from, fresh.end, node);
  assert(order !== 0, 'interval is already in the tree');
  if (order < 0) node.left = insertInto(node.left, fresh);
  else node.right = insertInto(node.right, fresh);
  const child = order < 0 ? node.left! : node.right!;
  return child.priority > node.priority ? lift(node, child) : measured(node);
}

/** Rotates `child` above its parent. */
function lift<Value>(parent: Node<Value>, child: Node<Value>): Node<Value> {
  if (parent.left === child) {
    parent.left = child.right;
    child.right = measured(parent);
  } else {
    parent.right = child.left;
    child.left = measured(parent);
  }
  return measured(child);
}

function removeFrom<Value>(node: Tree<Value>, from: string, end: string | undefined): Tree<Value> {
  assert(node !== undefined, 'interval is not in the tree');
  const order = compareInterval(from, end, node);
  if (order === 0) return joined(node.left, node.right);
  if (order < 0) node.left = removeFrom(node.left, from, end);
  else node.right = removeFrom(node.right, from, end);
  return measured(node);
}

/** One tree of two, all of `low` before all of `high`. */
function joined<Value>(low: Tree<Value>, high: Tree<Value>): Tree<Value> {
  if (low === undefined) return high;
  if (high === undefined) return low;
  if (low.priority > high.priority) {
    low.right = joined(low.right, high);
    return measured(low);
  }
  high.left = joined(low, high.left);
  return measured(high);
}

function measured<Value>(node: Node<Value>): Node<Value> {
  let furthest = node.end;
  if (node.left !== undefined) furthest = further(furthest, node.left.furthest);
  if (node.right !== undefined) furthest = further(furthest, node.right.furthest);
  node.furthest = furthest;
  return node;
}

function further(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || b === undefined ? undefined : a > b ? a : b;
}

function compareInterval(from: string, end: string | undefined, other: Interval): number {
  if (from !== other.from) return from < other.from ? -1 : 1;
  if (end === other.end) return 0;
  if (end === undefined) return 1;
  return other.end === undefined || end < other.end ? -1 : 1;
}

function scramble(seed: number): number {
  let mixed = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
