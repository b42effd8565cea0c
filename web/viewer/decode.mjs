/**
 * From scores to maps, with the mathematics of core/decode.py.
 *
 * Sums over all layers and steps up to a place are made once; any range of them is then four
 * look-ups for each value, so dragging a range never goes through the scores again.
 */
import { toFloats } from "./half.mjs";
import { runs } from "./selection.mjs";
import { smooth } from "./smooth.mjs";

/**
 * @typedef {object} Shape of one file, as a bundle describes it
 * @property {"scores" | "maps"} kind
 * @property {[number, number]} grid rows and columns
 * @property {string[]} labels
 * @property {number[][]} [layers]
 * @property {number[]} [steps]
 * @property {{temperature: number, order: string}} [auto]
 * @property {[number, number][]} [value_range]
 *
 * @typedef {object} Choice
 * @property {number[]} layers positions
 * @property {number[]} steps positions
 * @property {number} temperature
 * @property {number} smoothing in tokens
 */

/** One batch item and frame: its scores, ready to be decoded in any way. */
export class Decoder {
    /** @param {Shape} shape @param {ArrayBuffer} buffer */
    constructor(shape, buffer) {
        this.shape = shape;
        this.values = toFloats(buffer);
        this.places = shape.grid[0] * shape.grid[1];
        this.concepts = shape.labels.length;
        /** @type {{temperature: number, sums: Uint32Array | Float64Array} | undefined} */
        this.kept = undefined;
        this.broken = this.findBroken();
    }

    /** The entries whose scores are not finite, as the model overflowed there. */
    findBroken() {
        const size = this.concepts * this.places;
        const broken = new Set();
        for (let entry = 0; entry < this.entries; entry++) {
            // Sums of half precision numbers do not overflow; a test of each would take many times as long.
            let sum = 0;
            for (let i = entry * size; i < (entry + 1) * size; i++) sum += this.values[i];
            if (!Number.isFinite(sum)) broken.add(entry);
        }
        return broken;
    }

    /** Raises an error for a choice with such an entry: there is no map. @param {Choice} choice */
    check({ layers, steps }) {
        if (!this.broken.size) return;
        for (const step of steps) {
            const layer = layers.find((each) => this.broken.has(step * this.layerCount + each));
            if (layer === undefined) continue;
            const names = [this.shape.layers?.[layer].join("+"), this.shape.steps?.[step]];
            throw new Error(`the scores of layer ${names[0]} at step ${names[1]} are not finite`);
        }
    }

    /** Memory that this takes, in bytes. */
    get bytes() {
        return this.values.byteLength + (this.kept?.sums.byteLength ?? 0);
    }

    /**
     * Every concept's map, the background's included.
     * @param {Choice} choice
     * @returns {Float32Array} [C, rows, columns]
     */
    maps(choice) {
        const [rows, columns] = this.shape.grid;
        if (this.shape.kind === "maps") return this.values.slice();
        this.check(choice);
        const mean = this.mean(choice);
        return smooth(mean, rows, columns, choice.smoothing);
    }

    /** @param {Choice} choice */
    mean(choice) {
        const auto = this.auto;
        const factor = auto.temperature / choice.temperature;
        if (auto.order === "softmax first") {
            const sums = this.sumsAt(choice.temperature, () => this.shareSums(factor));
            const total = this.entries;
            return this.lookUp(sums, choice, 1 / scaleFor(total));
        }
        const sums = this.sumsAt(0, () => this.scoreSums());
        const mean = this.lookUp(sums, choice, factor);
        const out = new Float32Array(mean.length);
        softmax(mean, 0, this.concepts, this.places, 1, out);
        return out;
    }

    /** What a capture has. @returns {{temperature: number, order: string}} */
    get auto() {
        if (!this.shape.auto) throw new Error("these maps are decoded already");
        return this.shape.auto;
    }

    /** @param {number} temperature @param {() => Uint32Array | Float64Array} make */
    sumsAt(temperature, make) {
        if (this.kept?.temperature !== temperature) {
            this.kept = undefined; // its memory can be used for the new one
            this.kept = { temperature, sums: make() };
        }
        return this.kept.sums;
    }

    /**
     * Sums of shares, as whole numbers: exact, so that a difference of two of them is too.
     * @param {number} factor
     */
    shareSums(factor) {
        const size = this.concepts * this.places;
        const shares = new Float32Array(size);
        const scale = scaleFor(this.entries);
        const sums = new Uint32Array((this.stepCount + 1) * (this.layerCount + 1) * size);
        return this.accumulate(sums, (at, line) => {
            softmax(this.values, at, this.concepts, this.places, factor, shares);
            for (let i = 0; i < size; i++) line[i] += Math.round(shares[i] * scale);
        });
    }

    /** Sums of the scores themselves. */
    scoreSums() {
        const size = this.concepts * this.places;
        const sums = new Float64Array((this.stepCount + 1) * (this.layerCount + 1) * size);
        return this.accumulate(sums, (at, line) => {
            for (let i = 0; i < size; i++) line[i] += this.values[at + i];
        });
    }

    get stepCount() {
        return this.shape.steps?.length ?? 0;
    }

    get layerCount() {
        return this.shape.layers?.length ?? 0;
    }

    get entries() {
        return this.stepCount * this.layerCount;
    }

    /**
     * sums[s, l] = all before step s and layer l.
     * @template {Uint32Array | Float64Array} T
     * @param {T} sums
     * @param {(at: number, line: T) => void} add adds the entry that begins at `at` to a line
     * @returns {T}
     */
    accumulate(sums, add) {
        const size = this.concepts * this.places;
        const width = this.layerCount + 1;
        const line = /** @type {T} */ (sums.slice(0, size)); // of this step, up to the layer
        for (let step = 0; step < this.stepCount; step++) {
            line.fill(0);
            for (let layer = 0; layer < this.layerCount; layer++) {
                const entry = step * this.layerCount + layer;
                if (!this.broken.has(entry)) add(entry * size, line);
                const above = (step * width + layer + 1) * size;
                const here = above + width * size;
                for (let i = 0; i < size; i++) sums[here + i] = sums[above + i] + line[i];
            }
        }
        return sums;
    }

    /**
     * The mean of the chosen entries, times a factor.
     * @param {Uint32Array | Float64Array} sums @param {Choice} choice @param {number} factor
     * @returns {Float32Array}
     */
    lookUp(sums, choice, factor) {
        const size = this.concepts * this.places;
        const total = new Float64Array(size);
        const width = this.layerCount + 1;
        for (const [s0, s1] of runs(choice.steps)) {
            for (const [l0, l1] of runs(choice.layers)) {
                const [a, b] = [(s1 * width + l1) * size, (s0 * width + l0) * size];
                const [c, d] = [(s1 * width + l0) * size, (s0 * width + l1) * size];
                for (let i = 0; i < size; i++) {
                    total[i] += sums[a + i] + sums[b + i] - sums[c + i] - sums[d + i];
                }
            }
        }
        const share = factor / (choice.steps.length * choice.layers.length);
        const out = new Float32Array(size);
        for (let i = 0; i < size; i++) out[i] = total[i] * share;
        return out;
    }
}

/** The largest factor with which sums of that many shares fit into 32 bits. @param {number} count */
function scaleFor(count) {
    return Math.floor((2 ** 32 - 1) / count) - 1;
}

/**
 * Softmax over concepts of values[at ..] * factor, [C, N], into out.
 * @param {Float32Array} values @param {number} at @param {number} concepts
 * @param {number} places @param {number} factor @param {Float32Array} out
 */
function softmax(values, at, concepts, places, factor, out) {
    for (let place = 0; place < places; place++) {
        let largest = -Infinity;
        for (let i = place; i < concepts * places; i += places) {
            if (values[at + i] > largest) largest = values[at + i];
        }
        let sum = 0;
        for (let i = place; i < concepts * places; i += places) {
            const share = Math.exp((values[at + i] - largest) * factor);
            out[i] = share;
            sum += share;
        }
        for (let i = place; i < concepts * places; i += places) out[i] /= sum;
    }
}
