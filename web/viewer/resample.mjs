/**
 * From the token grid to pixels: bilinear, as core/resize.py does it. Values are interpolated, never
 * colours.
 */

/**
 * @typedef {object} Window what part of the picture is painted, and how large
 * @property {number} width @property {number} height in pixels
 * @property {number} u0 @property {number} v0 left and top, as a share of the picture
 * @property {number} u1 @property {number} v1 right and bottom
 *
 * @typedef {object} Grid
 * @property {number} rows @property {number} columns
 * @property {[number, number]} covered height and width that it covers, in pictures
 */

/**
 * Where pixels lie between cells.
 * @param {number} pixels @param {number} from @param {number} to shares of the picture
 * @param {number} cells @param {number} covered @param {boolean} nearest
 */
function places(pixels, from, to, cells, covered, nearest) {
    const before = new Int32Array(pixels);
    const after = new Int32Array(pixels);
    const share = new Float32Array(pixels);
    for (let i = 0; i < pixels; i++) {
        const at = ((from + ((i + 0.5) / pixels) * (to - from)) / covered) * cells;
        if (nearest) {
            before[i] = after[i] = Math.min(cells - 1, Math.max(0, Math.floor(at)));
            continue;
        }
        const place = Math.max(0, at - 0.5);
        before[i] = Math.min(cells - 1, Math.floor(place));
        after[i] = Math.min(cells - 1, before[i] + 1);
        share[i] = place - before[i];
    }
    return { before, after, share };
}

/** What is the same for all maps of one view. */
export class Sampler {
    /** @param {Grid} grid @param {Window} window @param {boolean} [nearest] cells as squares */
    constructor(grid, window, nearest = false) {
        const { width, height, u0, v0, u1, v1 } = window;
        this.width = width;
        this.height = height;
        this.columns = grid.columns;
        this.size = grid.rows * grid.columns;
        this.x = places(width, u0, u1, grid.columns, grid.covered[1], nearest);
        this.y = places(height, v0, v1, grid.rows, grid.covered[0], nearest);
        this.line = new Float32Array(grid.columns);
    }

    /**
     * One map at every pixel.
     * @param {Float32Array} maps @param {number} index of the map
     * @param {Float32Array} out [height * width]
     */
    field(maps, index, out) {
        for (let y = 0, at = 0; y < this.height; y++, at += this.width) {
            this.row(maps, index, y);
            this.across(out, at);
        }
        return out;
    }

    /** One row of pixels, still on the grid's columns. @param {Float32Array} maps
     * @param {number} index @param {number} y */
    row(maps, index, y) {
        const { before, after, share } = this.y;
        const upper = index * this.size + before[y] * this.columns;
        const lower = index * this.size + after[y] * this.columns;
        for (let x = 0; x < this.columns; x++) {
            this.line[x] = maps[upper + x] + (maps[lower + x] - maps[upper + x]) * share[y];
        }
    }

    /** @param {Float32Array} out @param {number} at */
    across(out, at) {
        const { before, after, share } = this.x;
        const { line, width } = this;
        for (let x = 0; x < width; x++) {
            const left = line[before[x]];
            out[at + x] = left + (line[after[x]] - left) * share[x];
        }
    }

    /**
     * The strongest map at every pixel; of equal ones the first in `order`.
     * @param {Float32Array} maps @param {number[]} order indices of the maps
     * @param {Uint16Array} out [height * width]
     */
    winners(maps, order, out) {
        const best = new Float32Array(this.width);
        const { before, after, share } = this.x;
        for (let y = 0, at = 0; y < this.height; y++, at += this.width) {
            best.fill(-Infinity);
            for (const index of order) {
                this.row(maps, index, y);
                const { line, width } = this;
                for (let x = 0; x < width; x++) {
                    const left = line[before[x]];
                    const value = left + (line[after[x]] - left) * share[x];
                    if (value > best[x]) {
                        best[x] = value;
                        out[at + x] = index;
                    }
                }
            }
        }
        return out;
    }
}

/**
 * The values at one point of the picture: what is painted there.
 * @param {Float32Array} maps @param {number} count @param {Grid} grid
 * @param {number} u @param {number} v shares of the picture's width and height
 * @param {boolean} [nearest]
 * @returns {number[]}
 */
export function valuesAt(maps, count, grid, u, v, nearest = false) {
    const point = new Sampler(grid, { width: 1, height: 1, u0: u, v0: v, u1: u, v1: v }, nearest);
    const out = new Float32Array(1);
    return Array.from({ length: count }, (_, index) => point.field(maps, index, out)[0]);
}
