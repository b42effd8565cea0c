/** Who competes for a place: every concept, and the backgrounds as one, as in core/segments.py. */

/**
 * @typedef {object} Contest
 * @property {Float32Array} maps all of them, the first background's being the largest of all
 * @property {number[]} order indices of those that compete; the first of equal ones wins
 */

/**
 * @param {Float32Array} maps on the token grid @param {import("./run.mjs").Run} run
 * @returns {Contest}
 */
export function contested(maps, { rivals, bundle, grid }) {
    const [first, ...others] = rivals.filter((i) => bundle.background[i]);
    if (!others.length) return { maps, order: rivals };
    const size = grid.rows * grid.columns;
    const folded = maps.slice();
    for (const other of others) {
        for (let i = 0; i < size; i++) {
            const share = maps[other * size + i];
            if (share > folded[first * size + i]) folded[first * size + i] = share;
        }
    }
    return { maps: folded, order: rivals.filter((i) => !others.includes(i)) };
}

/** The one with the largest value, of equal ones the first. @param {number[]} indices
 * @param {ArrayLike<number>} values */
export function strongest(indices, values) {
    return indices.reduce((best, i) => (values[i] > values[best] ? i : best));
}
