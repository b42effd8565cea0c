/** Sums over layers and steps, so that any range of them is four look-ups for each value. */
import { runs } from "./selection.mjs";

/** @typedef {Pick<import("./decode.mjs").Choice, "layers" | "steps">} Range */

/** sums[s, l]: everything before step s and layer l. @template {Uint32Array | Float64Array} T */
export class Sums {
    /**
     * @param {T} sums zeros, [steps + 1, layers + 1, size] @param {number} steps
     * @param {number} layers
     * @param {(entry: number, line: T) => void} add adds the entry of a step and a layer to a line
     */
    constructor(sums, steps, layers, add) {
        this.sums = sums;
        this.width = layers + 1;
        this.size = sums.length / ((steps + 1) * this.width);
        const { size, width } = this;
        const line = /** @type {T} */ (sums.slice(0, size)); // of this step, up to the layer
        for (let step = 0; step < steps; step++) {
            line.fill(0);
            for (let layer = 0; layer < layers; layer++) {
                add(step * layers + layer, line);
                const above = (step * width + layer + 1) * size;
                const here = above + width * size;
                for (let i = 0; i < size; i++) sums[here + i] = sums[above + i] + line[i];
            }
        }
    }

    /** Memory that this takes, in bytes. */
    get bytes() {
        return this.sums.byteLength;
    }

    /** The sum of the chosen entries. @param {Range} choice @returns {Float64Array} */
    total(choice) {
        const { sums, size, width } = this;
        const total = new Float64Array(size);
        for (const [s0, s1] of runs(choice.steps)) {
            for (const [l0, l1] of runs(choice.layers)) {
                const [a, b] = [(s1 * width + l1) * size, (s0 * width + l0) * size];
                const [c, d] = [(s1 * width + l0) * size, (s0 * width + l1) * size];
                for (let i = 0; i < size; i++) {
                    total[i] += sums[a + i] + sums[b + i] - sums[c + i] - sums[d + i];
                }
            }
        }
        return total;
    }
}
