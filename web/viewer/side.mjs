/** One run on the stage: its picture and maps, painted at the stage's size. */
import { account } from "./words.mjs";
import { Base, clear, outline, paintMap, paintPlain, paintSegments, paintSeveral } from "./paint.mjs";
import { Sampler, valuesAt } from "./resample.mjs";
import { contested, strongest } from "./rivals.mjs";

/**
 * @typedef {object} Look
 * @property {import("./state.mjs").State} state
 * @property {string[]} shown
 * @property {string | null} hovered one whose segment is outlined
 * @property {Map<string, import("./colours.mjs").Colour>} hues of all concepts, by label
 * @property {Uint8Array} table
 * @property {number} threshold
 */

/** Where a side's picture lies, in shares of the picture that the stage shows. */
const WHOLE = { x: 0, y: 0, width: 1, height: 1 };

export class Side {
    /** @param {import("./run.mjs").Run} run */
    constructor(run) {
        this.run = run;
        this.frame = WHOLE;
        /** @type {HTMLImageElement | null} */
        this.image = null;
        /** @type {Float32Array | null} */
        this.maps = null;
        /** @type {Base | null} */
        this.base = null;
        /** @type {Sampler | null} */
        this.sampler = null;
        /** @type {Float32Array[]} */
        this.fields = [];
        /** @type {import("./rivals.mjs").Contest | null} */
        this.contest = null;
        /** @type {Uint16Array | null} */
        this.strongest = null;
        this.key = "";
        this.nearest = false;
        /** @type {import("./words.mjs").Account[]} */
        this.accounts = [];
    }

    /** @param {HTMLImageElement} image @param {Float32Array} maps */
    set(image, maps) {
        if (image !== this.image) this.key = "";
        this.image = image;
        this.maps = maps;
        this.strongest = null;
        this.contest = contested(maps, this.run);
        this.accounts = this.run.labels.map((_, i) => account(maps, i, this.run.grid));
    }

    get ready() {
        return this.image !== null && this.maps !== null;
    }

    /** Make ready for a part of the picture at a size, and give the picture at that size.
     * @param {any} window @param {boolean} nearest */
    fit({ part, width, height }, nearest) {
        const [u0, v0] = this.own(part.u0, part.v0);
        const [u1, v1] = this.own(part.u1, part.v1);
        const key = [width, height, u0, v0, u1, v1].join();
        const same = key === this.key && this.base;
        if (!same) this.base = this.scaled(u0, v0, u1, v1, width, height);
        if (!same || this.nearest !== nearest) {
            this.sampler = new Sampler(this.run.grid, { width, height, u0, v0, u1, v1 }, nearest);
            this.strongest = null;
        }
        this.nearest = nearest;
        this.key = key;
        return /** @type {Base} */ (this.base);
    }

    /** A point of the stage's picture as one of this picture's. @param {number} u @param {number} v */
    own(u, v) {
        const { x, y, width, height } = this.frame;
        return [(u - x) / width, (v - y) / height];
    }

    /** @param {number} u0 @param {number} v0 @param {number} u1 @param {number} v1
     * @param {number} width @param {number} height */
    scaled(u0, v0, u1, v1, width, height) {
        const image = /** @type {HTMLImageElement} */ (this.image);
        const canvas = new OffscreenCanvas(width, height);
        const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
            canvas.getContext("2d", { willReadFrequently: true })
        );
        context.imageSmoothingQuality = "high";
        const [across, down] = [image.naturalWidth, image.naturalHeight];
        const source = [u0 * across, v0 * down, (u1 - u0) * across, (v1 - v0) * down];
        const [x, y, w, h] = source;
        context.drawImage(image, x, y, w, h, 0, 0, width, height);
        return new Base(context.getImageData(0, 0, width, height));
    }

    /** A field of the size that is painted. @param {number} index @param {number} at which buffer */
    field(index, at) {
        const sampler = /** @type {Sampler} */ (this.sampler);
        const size = sampler.width * sampler.height;
        if (this.fields[at]?.length !== size) this.fields[at] = new Float32Array(size);
        return sampler.field(/** @type {Float32Array} */ (this.maps), index, this.fields[at]);
    }

    /** Who wins every pixel, as in core/segments.py. One past the last concept is nobody: beside the
     * picture, and where a concept is alone and would win everywhere. @returns {Uint16Array} */
    winners() {
        if (this.strongest) return this.strongest;
        const sampler = /** @type {Sampler} */ (this.sampler);
        const nobody = this.run.labels.length;
        const made = new Uint16Array(sampler.width * sampler.height).fill(nobody);
        const { maps, order } = /** @type {import("./rivals.mjs").Contest} */ (this.contest);
        if (nobody > 1) sampler.winners(maps, order, made);
        if (this.frame !== WHOLE) {
            const { rgba } = /** @type {Base} */ (this.base);
            for (let i = 0; i < made.length; i++) if (!rgba[i * 4 + 3]) made[i] = nobody;
        }
        return (this.strongest = made);
    }

    /** A line around what a concept wins. @param {number} index
     * @param {{from?: number, to?: number}} part columns that it is drawn in */
    lines(index, part) {
        const { width, height } = /** @type {Sampler} */ (this.sampler);
        const image = new ImageData(width, height);
        outline(image.data, width, height, this.winners(), index, part);
        return image;
    }

    /** What every concept has at a point; null beside the picture. @param {number} x @param {number} y
     * @returns {number[] | null} */
    values(x, y) {
        const [u, v] = this.own(x, y);
        if (Math.min(u, v) < 0 || Math.max(u, v) > 1) return null;
        const maps = /** @type {Float32Array} */ (this.maps);
        return valuesAt(maps, this.run.labels.length, this.run.grid, u, v, this.nearest);
    }

    /** Who wins a point, the strongest background where no concept does; null beside the picture.
     * @param {number} x @param {number} y */
    winner(x, y) {
        const values = this.values(x, y);
        if (!values) return null;
        const { grid, labels, rivals, bundle } = this.run;
        const { maps, order } = /** @type {import("./rivals.mjs").Contest} */ (this.contest);
        const [u, v] = this.own(x, y);
        const best = strongest(order, valuesAt(maps, labels.length, grid, u, v, this.nearest));
        const hidden = rivals.filter((i) => bundle.background[i]);
        return bundle.background[best] ? strongest(hidden, values) : best;
    }

    /**
     * @param {Uint8ClampedArray} target @param {Look} look @param {{from?: number, to?: number}} part
     */
    paint(target, look, part) {
        const base = /** @type {Base} */ (this.base);
        const { state } = look;
        const indices = look.shown
            .map((label) => this.run.labels.indexOf(label))
            .filter((index) => index >= 0);
        const { opacity } = state;
        if (state.mode === "segments") {
            const hues = this.hues(look).map((hue, i) => (this.run.bundle.background[i] ? null : hue));
            const style = { hues: [...hues, null], opacity }; // nobody has no hue
            paintSegments(target, base, this.winners(), style, part);
        } else if (!indices.length) {
            paintPlain(target, base, part);
        } else {
            this.paintMaps(target, base, indices, look, part);
        }
        if (this.frame !== WHOLE) clear(target, base, part);
    }

    /** The colour of every concept. @param {Look} look @returns {import("./colours.mjs").Colour[]} */
    hues({ hues }) {
        return this.run.labels.map((label) => hues.get(label) ?? [128, 128, 128]);
    }

    /** @param {Uint8ClampedArray} target @param {Base} base @param {number[]} indices
     * @param {Look} look @param {{from?: number, to?: number}} part */
    paintMaps(target, base, indices, look, part) {
        const { state, threshold, table } = look;
        const hues = this.hues(look);
        const { opacity } = state;
        const ends = this.ends(indices, state.scale);
        const fields = indices.map((index, at) => this.field(index, at));
        const [lows, highs] = [ends.map((each) => each[0]), ends.map((each) => each[1])];
        if (fields.length === 1) {
            const [low, high] = ends[0];
            paintMap(target, base, fields[0], { table, low, high, opacity, threshold }, part);
        } else {
            const own = indices.map((index) => hues[index]);
            paintSeveral(target, base, fields, { hues: own, lows, highs, opacity, threshold }, part);
        }
    }

    /**
     * The values of the colours' ends for each map.
     * @param {number[]} indices @param {string} scale @returns {[number, number][]}
     */
    ends(indices, scale) {
        const { ranges } = this.run;
        if (scale === "none") return indices.map((index) => ranges?.[index] ?? [0, 1]);
        const size = this.run.grid.rows * this.run.grid.columns;
        const maps = /** @type {Float32Array} */ (this.maps);
        const own = (/** @type {number} */ index) => extent(maps, index * size, size);
        if (scale === "perConcept") return indices.map(own);
        const all = this.run.shownLabels.map((label) => own(this.run.labels.indexOf(label)));
        const low = Math.min(...all.map((each) => each[0]));
        const high = Math.max(...all.map((each) => each[1]));
        return indices.map(() => [low, high]);
    }
}

/** @param {Float32Array} maps @param {number} from @param {number} count
 * @returns {[number, number]} */
function extent(maps, from, count) {
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < from + count; i++) {
        if (maps[i] < low) low = maps[i];
        if (maps[i] > high) high = maps[i];
    }
    return low < high ? [low, high] : [0, 1];
}
