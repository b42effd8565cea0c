/**
 * Colours over a picture, as core/overlay.py blends them: the picture turns grey by as much as it is
 * covered, so that its colours are not taken for the map's.
 */

/** @typedef {import("./colours.mjs").Colour} Colour */

const DIMMED = 0.35; // brightness of what a threshold leaves out

/** A picture at the size that is painted. */
export class Base {
    /** @param {ImageData} image */
    constructor(image) {
        this.width = image.width;
        this.height = image.height;
        this.rgba = image.data;
        this.grey = new Uint8ClampedArray(image.width * image.height);
        for (let i = 0, at = 0; i < this.grey.length; i++, at += 4) {
            const [red, green, blue] = [this.rgba[at], this.rgba[at + 1], this.rgba[at + 2]];
            this.grey[i] = 0.299 * red + 0.587 * green + 0.114 * blue; // ITU-R BT.601
        }
    }
}

/**
 * @typedef {object} Part columns that are painted
 * @property {number} [from] @property {number} [to]
 */

/** The plain picture. @param {Uint8ClampedArray} target @param {Base} base @param {Part} part */
export function paintPlain(target, base, { from = 0, to = base.width } = {}) {
    for (let y = 0; y < base.height; y++) {
        const row = y * base.width;
        target.set(base.rgba.subarray((row + from) * 4, (row + to) * 4), (row + from) * 4);
    }
}

/** Nothing where there is no picture. @param {Uint8ClampedArray} target @param {Base} base
 * @param {Part} part */
export function clear(target, base, { from = 0, to = base.width } = {}) {
    const { rgba, width, height } = base;
    for (let y = 0; y < height; y++) {
        for (let at = (y * width + from) * 4; at < (y * width + to) * 4; at += 4) {
            if (!rgba[at + 3]) target[at + 3] = 0;
        }
    }
}

/**
 * One map in the colours of a table.
 * @param {Uint8ClampedArray} target @param {Base} base @param {Float32Array} field
 * @param {{table: Uint8Array, low: number, high: number, opacity: number, threshold: number}} style
 *   low, high: the values of the table's ends; threshold: smaller values are left out
 * @param {Part} [part]
 */
export function paintMap(target, base, field, style, { from = 0, to = base.width } = {}) {
    const { table, low, high, opacity, threshold } = style;
    const { rgba, grey, width, height } = base;
    const scale = high > low ? 256 / (high - low) : 256;
    const origin = high > low ? low : 0;
    const kept = (1 - opacity) ** 2;
    const greyed = (1 - opacity) * opacity;
    for (let y = 0; y < height; y++) {
        for (let i = y * width + from, end = y * width + to; i < end; i++) {
            const at = i * 4;
            const value = field[i];
            if (value < threshold) {
                dim(target, rgba, grey, i);
                continue;
            }
            const place = Math.max(0, Math.min(255, ((value - origin) * scale) | 0)) * 3;
            const shade = grey[i] * greyed;
            target[at] = rgba[at] * kept + shade + table[place] * opacity;
            target[at + 1] = rgba[at + 1] * kept + shade + table[place + 1] * opacity;
            target[at + 2] = rgba[at + 2] * kept + shade + table[place + 2] * opacity;
            target[at + 3] = 255;
        }
    }
}

/**
 * Several maps, each in its hue, the more opaque the stronger.
 * @param {Uint8ClampedArray} target @param {Base} base @param {Float32Array[]} fields
 * @param {{hues: Colour[], lows: number[], highs: number[], opacity: number, threshold: number}}
 *   style for each field its hue and the values of no and of full strength
 * @param {Part} [part]
 */
export function paintSeveral(target, base, fields, style, { from = 0, to = base.width } = {}) {
    const { rgba, grey, width, height } = base;
    const { opacity, threshold } = style;
    const lows = Float32Array.from(style.lows);
    const scales = Float32Array.from(style.highs, (high, c) => 1 / (high - lows[c] || 1));
    const hues = Float32Array.from(style.hues.flat());
    const count = fields.length;
    for (let y = 0; y < height; y++) {
        for (let i = y * width + from, end = y * width + to; i < end; i++) {
            let red = 0;
            let green = 0;
            let blue = 0;
            let sum = 0;
            let strongest = 0;
            for (let c = 0; c < count; c++) {
                const value = fields[c][i];
                const share = (value - lows[c]) * scales[c];
                if (value < threshold || !(share > 0)) continue;
                red += share * hues[c * 3];
                green += share * hues[c * 3 + 1];
                blue += share * hues[c * 3 + 2];
                sum += share;
                if (share > strongest) strongest = share;
            }
            const alpha = (strongest > 1 ? 1 : strongest) * opacity;
            const by = sum > 0 ? alpha / sum : 0;
            const at = i * 4;
            const shade = grey[i] * opacity * (1 - alpha);
            const kept = (1 - opacity) * (1 - alpha);
            target[at] = rgba[at] * kept + shade + red * by;
            target[at + 1] = rgba[at + 1] * kept + shade + green * by;
            target[at + 2] = rgba[at + 2] * kept + shade + blue * by;
            target[at + 3] = 255;
        }
    }
}

/**
 * Every place in the hue of its winner.
 * @param {Uint8ClampedArray} target @param {Base} base @param {Uint16Array} winners
 * @param {{hues: (Colour | null)[], opacity: number}} style null: the picture shows, as for the
 *   background and nobody
 * @param {Part} [part]
 */
export function paintSegments(target, base, winners, style, { from = 0, to = base.width } = {}) {
    const { rgba, grey, width, height } = base;
    const { hues, opacity } = style;
    const under = (1 - opacity) * opacity;
    // For each concept: how much of the picture and of its grey is kept, and what lies over them.
    const mix = Float32Array.from(
        hues.flatMap((hue) => [
            hue ? (1 - opacity) ** 2 : 1 - opacity,
            hue ? under : opacity,
            ...(hue ?? [0, 0, 0]).map((part) => part * opacity),
        ]),
    );
    for (let y = 0; y < height; y++) {
        for (let i = y * width + from, end = y * width + to; i < end; i++) {
            const by = winners[i] * 5;
            const at = i * 4;
            const own = mix[by];
            const shade = grey[i] * mix[by + 1];
            target[at] = rgba[at] * own + shade + mix[by + 2];
            target[at + 1] = rgba[at + 1] * own + shade + mix[by + 3];
            target[at + 2] = rgba[at + 2] * own + shade + mix[by + 4];
            target[at + 3] = 255;
        }
    }
}

/**
 * A line around the places that one concept wins.
 * @param {Uint8ClampedArray} target transparent elsewhere @param {number} width
 * @param {number} height @param {Uint16Array} winners @param {number} index @param {Part} [part]
 */
export function outline(target, width, height, winners, index, { from = 0, to = width } = {}) {
    target.fill(0);
    for (let y = 0; y < height; y++) {
        for (let x = from; x < to; x++) {
            const i = y * width + x;
            if (winners[i] !== index) continue;
            const edge =
                (x > 0 && winners[i - 1] !== index) ||
                (x < width - 1 && winners[i + 1] !== index) ||
                (y > 0 && winners[i - width] !== index) ||
                (y < height - 1 && winners[i + width] !== index);
            if (edge) target.fill(255, i * 4, i * 4 + 4);
        }
    }
}

/** @param {Uint8ClampedArray} target @param {Uint8ClampedArray} rgba
 * @param {Uint8ClampedArray} grey @param {number} i */
function dim(target, rgba, grey, i) {
    const at = i * 4;
    const shade = grey[i] * 0.5;
    target[at] = (rgba[at] * 0.5 + shade) * DIMMED;
    target[at + 1] = (rgba[at + 1] * 0.5 + shade) * DIMMED;
    target[at + 2] = (rgba[at + 2] * 0.5 + shade) * DIMMED;
    target[at + 3] = 255;
}
