/**
 * From scores to maps, with the mathematics of core/decode.py.
 *
 * The first maps come straight from the scores. Once more is asked of the same scores, sums over all
 * layers and steps up to a place are made, so that dragging a range never goes through the scores.
 */
import { numbers, toFloats } from "./half.mjs";
import { smooth } from "./smooth.mjs";
import { Sums } from "./sums.mjs";

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
 *
 * @typedef {Uint32Array | Float64Array} Line sums of one entry's values, [C, rows, columns]
 */

/** One batch item and frame: its scores, ready to be decoded in any way. */
export class Decoder {
    /** @param {Shape} shape @param {ArrayBuffer} buffer */
    constructor(shape, buffer) {
        this.shape = shape;
        this.halves = new Uint16Array(buffer);
        this.places = shape.grid[0] * shape.grid[1];
        this.size = this.places * shape.labels.length;
        /** @type {number | undefined} see ask */
        this.asked = undefined;
        /** @type {Sums<Line> | undefined} of what was asked for */
        this.sums = undefined;
        /** @type {(entry: number, line: Line) => void} */
        this.add = this.addScores;
        this.broken = this.findBroken();
    }

    /** The entries whose scores are not finite, as the model overflowed there. */
    findBroken() {
        const { halves, size } = this;
        const broken = new Set();
        for (let entry = 0; entry < this.entries; entry++) {
            let largest = 0; // exponent
            for (let i = entry * size; i < (entry + 1) * size; i++) {
                const exponent = halves[i] & 0x7c00;
                if (exponent > largest) largest = exponent;
            }
            if (largest === 0x7c00) broken.add(entry);
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
        return this.halves.byteLength + (this.sums?.bytes ?? 0);
    }

    /**
     * Every concept's map, the background's included.
     * @param {Choice} choice
     * @returns {Float32Array} [C, rows, columns]
     */
    maps(choice) {
        const [rows, columns] = this.shape.grid;
        if (this.shape.kind === "maps") return toFloats(this.halves);
        this.check(choice);
        const mean = this.mean(choice);
        return smooth(mean, rows, columns, choice.smoothing);
    }

    /** @param {Choice} choice */
    mean(choice) {
        const { temperature, order } = this.auto;
        const ratio = temperature / choice.temperature;
        const first = order === "softmax first";
        this.ask(first ? ratio : 0);
        const total = this.sums?.total(choice) ?? this.total(choice);
        const count = choice.steps.length * choice.layers.length;
        const factor = first ? 1 / scaleFor(this.entries) : ratio;
        const mean = new Float32Array(this.size);
        for (let i = 0; i < this.size; i++) mean[i] = (total[i] * factor) / count;
        if (!first) softmax(mean, this.places);
        return mean;
    }

    /**
     * Make what is summed ready: shares of scores times a ratio or, for 0, the scores themselves.
     * @param {number} ratio
     */
    ask(ratio) {
        if (ratio === this.asked) return this.prepare();
        this.asked = ratio;
        this.sums = undefined;
        this.add = ratio ? this.shareAdder(ratio) : this.addScores;
    }

    /** Make the sums of what was asked for last, if they are not there. */
    prepare() {
        const { asked, add } = this;
        if (asked === undefined || this.sums) return;
        const length = (this.stepCount + 1) * (this.layerCount + 1) * this.size;
        const sums = asked ? new Uint32Array(length) : new Float64Array(length);
        this.sums = new Sums(sums, this.stepCount, this.layerCount, (entry, line) => {
            if (!this.broken.has(entry)) add(entry, line);
        });
    }

    /** The sum of the chosen entries, one by one. @param {Choice} choice */
    total({ layers, steps }) {
        const total = new Float64Array(this.size);
        for (const step of steps) {
            for (const layer of layers) this.add(step * this.layerCount + layer, total);
        }
        return total;
    }

    /**
     * What adds the scores of an entry.
     * @param {number} entry @param {Line} line
     */
    addScores = (entry, line) => {
        const { halves, size } = this;
        const known = numbers();
        for (let i = 0; i < size; i++) line[i] += known[halves[entry * size + i]];
    };

    /**
     * What adds the shares of an entry, as whole numbers: exact, so that a difference of sums is too.
     * @param {number} ratio
     * @returns {(entry: number, line: Line) => void}
     */
    shareAdder(ratio) {
        const { halves, places, size } = this;
        // The greatest score of a place is 0 (core/view.py), so no power of these overflows; and
        // there are so few half precision numbers that each one's power is known.
        const known = numbers();
        const powers = new Float64Array(known.length);
        for (let i = 0; i < known.length; i++) powers[i] = Math.exp(known[i] * ratio);
        const scale = scaleFor(this.entries);
        const whole = new Float64Array(places);
        return (entry, line) => {
            const at = entry * size;
            whole.fill(0);
            // Concept by concept, as they lie in memory: place by place takes times as long.
            for (let from = 0; from < size; from += places) {
                for (let i = 0; i < places; i++) whole[i] += powers[halves[at + from + i]];
            }
            for (let i = 0; i < places; i++) whole[i] = scale / whole[i];
            for (let from = 0; from < size; from += places) {
                for (let i = 0; i < places; i++) {
                    line[from + i] += Math.floor(powers[halves[at + from + i]] * whole[i] + 0.5);
                }
            }
        };
    }

    /** What a capture has. @returns {{temperature: number, order: string}} */
    get auto() {
        if (!this.shape.auto) throw new Error("these maps are decoded already");
        return this.shape.auto;
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
}

/** The largest factor with which sums of that many shares fit into 32 bits. @param {number} count */
function scaleFor(count) {
    return Math.floor((2 ** 32 - 1) / count) - 1;
}

/** Softmax over concepts of values [C, N], in place. @param {Float32Array} values @param {number} places */
function softmax(values, places) {
    for (let place = 0; place < places; place++) {
        let largest = -Infinity;
        for (let i = place; i < values.length; i += places) largest = Math.max(largest, values[i]);
        let sum = 0;
        for (let i = place; i < values.length; i += places) {
            values[i] = Math.exp(values[i] - largest);
            sum += values[i];
        }
        for (let i = place; i < values.length; i += places) values[i] /= sum;
    }
}
