/** Layers and steps: positions among what was captured, and the text that the node takes. */

/**
 * Neighbouring positions joined: [0, 1, 2, 5] as [[0, 3], [5, 6]].
 * @param {number[]} positions ascending
 * @returns {[number, number][]} first and one past the last
 */
export function runs(positions) {
    /** @type {[number, number][]} */
    const found = [];
    for (const position of positions) {
        const last = found.at(-1);
        if (last && last[1] === position) last[1] = position + 1;
        else found.push([position, position + 1]);
    }
    return found;
}

/**
 * The text of a node's `layers` or `steps` for chosen positions.
 * @param {number[]} positions chosen, among entries
 * @param {number[][]} entries what was captured: the indices that each entry is the mean of
 * @param {number[]} auto positions of the model family's own choice
 * @returns {string} "auto", "all", "15-18" or "0,5,9"
 */
export function text(positions, entries, auto) {
    if (positions.join() === auto.join()) return "auto";
    if (positions.length === entries.length) return "all";
    const indices = positions.flatMap((position) => entries[position]).sort((a, b) => a - b);
    return runs(indices)
        .map(([first, end]) => (end - first === 1 ? `${first}` : `${first}-${end - 1}`))
        .join(",");
}

/**
 * A range of positions as a list.
 * @param {number} first @param {number} last included
 * @returns {number[]}
 */
export function range(first, last) {
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
