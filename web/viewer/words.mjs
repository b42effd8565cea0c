/** What a map says, for those who cannot see it: how much of the picture, and where. */

const ROWS = ["upper", "middle", "lower"];
const COLUMNS = ["left", "centre", "right"];
const SPREAD = 0.85; // of the spread of a map that is the same everywhere

/**
 * @typedef {object} Account
 * @property {number} share of the picture, 0 to 1
 * @property {string} place "upper left", ..., "middle centre", or "everywhere"
 */

/**
 * @param {Float32Array} maps [C, rows, columns] @param {number} index
 * @param {import("./resample.mjs").Grid} grid
 * @returns {Account}
 */
export function account(maps, index, grid) {
    let [mass, x, y, xx, yy, weight] = [0, 0, 0, 0, 0, 0];
    for (let row = 0; row < grid.rows; row++) {
        const [v, tall] = cell(row, grid.rows, grid.covered[0]);
        for (let column = 0; column < grid.columns; column++) {
            const [u, wide] = cell(column, grid.columns, grid.covered[1]);
            const area = tall * wide;
            const value = maps[(index * grid.rows + row) * grid.columns + column] * area;
            weight += area;
            mass += value;
            x += value * u;
            y += value * v;
            xx += value * u * u;
            yy += value * v * v;
        }
    }
    if (!(mass > 0)) return { share: 0, place: "everywhere" };
    [x, y] = [x / mass, y / mass];
    const variance = (xx / mass - x * x + (yy / mass - y * y)) * 6; // 1 for a map without form
    return { share: mass / weight, place: variance > SPREAD ? "everywhere" : where(x, y) };
}

/** @param {number} x @param {number} y */
function where(x, y) {
    const third = (/** @type {number} */ at) => Math.min(2, Math.max(0, Math.floor(at * 3)));
    return `${ROWS[third(y)]} ${COLUMNS[third(x)]}`;
}

/**
 * The middle of a cell inside the picture, and how much of the picture it takes.
 * @param {number} index @param {number} count @param {number} covered
 */
function cell(index, count, covered) {
    const from = (index * covered) / count;
    const to = Math.min(1, ((index + 1) * covered) / count);
    return to > from ? [(from + to) / 2, to - from] : [1, 0];
}
