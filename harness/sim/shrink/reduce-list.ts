/**
 * Leaves items out as long as what is left still works: everything first, then halves, quarters
 * and so on down to pieces of `leastPiece` (delta debugging without its complements, which few
 * items would need). From the front: what comes early matters least to a failure at the end.
 */
export async function reduceList<Item>(
  items: readonly Item[],
  works: (kept: readonly Item[]) => Promise<boolean>,
  leastPiece = 1,
): Promise<readonly Item[]> {
  let kept = items;
  for (let piece = kept.length; piece >= leastPiece && piece > 0; piece = Math.floor(piece / 2)) {
    let at = 0;
    while (at < kept.length) {
      const without = kept.toSpliced(at, piece);
      if (await works(without)) kept = without;
      else at += piece;
    }
    piece = Math.min(piece, kept.length);
  }
  return kept;
}
