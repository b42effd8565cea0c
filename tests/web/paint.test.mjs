import { describe, expect, test } from "vitest";
import * as paint from "../../web/viewer/paint.mjs";
import { NAMES } from "../../web/viewer/colours.mjs";
import { difference, json, shipped } from "./data.mjs";

const DATA = json("paint.json");
const BYTES = new Uint8Array(shipped("web/data/colormaps.bin"));

/** @param {string} name */
function table(name) {
    const at = NAMES.indexOf(name) * 768;
    return BYTES.subarray(at, at + 768);
}

/** @param {number[]} rgb @param {number} width @param {number} height */
function base(rgb, width, height) {
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) data.set(rgb.slice(i * 3, i * 3 + 3), i * 4);
    return new paint.Base(/** @type {ImageData} */ ({ width, height, data }));
}

/** Colours without the opacity. @param {Uint8ClampedArray} rgba */
function colours(rgba) {
    return [...rgba].filter((_, i) => i % 4 !== 3);
}

/** @param {Uint8ClampedArray} rgba */
function opacities(rgba) {
    return [...rgba].filter((_, i) => i % 4 === 3);
}

const PICTURE = base(DATA.picture, DATA.width, DATA.height);
const FIELD = Float32Array.from(DATA.field);
const blank = () => new Uint8ClampedArray(DATA.width * DATA.height * 4);
/** @type {any} */
const STYLE = { table: table("viridis"), low: 0, high: 1, opacity: 0.7, threshold: 0 };

describe("one map", () => {
    test.each(/** @type {any[]} */ (DATA.cases))(
        "is what core.overlay.blend makes: $table at $opacity",
        ({ table: name, opacity, expected }) => {
            const target = blank();
            paint.paintMap(target, PICTURE, FIELD, { ...STYLE, table: table(name), opacity });
            expect(difference(colours(target), expected)).toBeLessThanOrEqual(2);
            expect(new Set(opacities(target))).toEqual(new Set([255]));
        },
    );

    test("the colours' ends are where they are said to be", () => {
        const grey = { ...STYLE, table: table("grey"), opacity: 1, low: 0.2, high: 0.6 };
        const target = new Uint8ClampedArray(16);
        const dark = base(new Array(12).fill(0), 4, 1);
        paint.paintMap(target, dark, Float32Array.of(0.1, 0.2, 0.401, 0.7), grey);
        expect(colours(target).filter((_, i) => i % 3 === 0)).toEqual([0, 0, 128, 255]);
    });

    test("what is below the threshold is dark and without half of its colour", () => {
        const target = new Uint8ClampedArray(8);
        const red = base([255, 0, 0, 255, 0, 0], 2, 1);
        const values = Float32Array.of(0.29, 0.3);
        const style = { ...STYLE, opacity: 0, threshold: Math.fround(0.3) };
        paint.paintMap(target, red, values, style);
        // Grey of red is 76; (255 + 76) / 2 * 0.35 and 76 / 2 * 0.35.
        expect(colours(target)).toEqual([58, 13, 13, 255, 0, 0]);
    });

    test("only the columns that are asked for are painted", () => {
        const target = blank();
        paint.paintMap(target, PICTURE, FIELD, STYLE, { from: 2, to: 5 });
        const painted = opacities(target).map((opacity) => opacity > 0);
        expect(painted).toEqual(painted.map((_, i) => i % 7 >= 2 && i % 7 < 5));
    });
});

test("the plain picture is the picture, also in a part", () => {
    const target = blank();
    paint.paintPlain(target, PICTURE, { from: 3 });
    paint.paintPlain(target, PICTURE, { to: 3 });
    expect(colours(target)).toEqual(DATA.picture);
});

describe("several maps", () => {
    const style = {
        hues: /** @type {[number, number, number][]} */ ([
            [200, 100, 0],
            [0, 100, 200],
        ]),
        lows: [0, 0],
        highs: [1, 1],
        opacity: 1,
        threshold: 0,
    };
    const grey = base([80, 80, 80], 1, 1);
    /** @param {number[]} values @param {object} [change] */
    const at = (values, change) => {
        const target = new Uint8ClampedArray(4);
        const fields = values.map((value) => Float32Array.of(value));
        paint.paintSeveral(target, grey, fields, { ...style, ...change });
        return [...target];
    };

    test("a sure one is its own hue, and equal ones are the mean of theirs", () => {
        expect(at([1, 0])).toEqual([200, 100, 0, 255]);
        expect(at([1, 1])).toEqual([100, 100, 100, 255]);
    });

    test("the weaker the strongest is, the more of the picture shows", () => {
        expect(at([0.5, 0])).toEqual([140, 90, 40, 255]);
        expect(at([0, 0])).toEqual([80, 80, 80, 255]);
    });

    test("no opacity is the picture", () => {
        expect(at([1, 1], { opacity: 0 })).toEqual([80, 80, 80, 255]);
    });

    test("each one has its own ends", () => {
        expect(at([0.5, 0.5], { lows: [0, 0.5], highs: [0.5, 1] })).toEqual([200, 100, 0, 255]);
    });

    test("the threshold is a share, whatever the ends are", () => {
        const change = { lows: [0.4, 0], highs: [0.6, 1], threshold: 0.55 };
        expect(at([0.5, 0], change)).toEqual([80, 80, 80, 255]);
        expect(at([0.6, 0], change)).toEqual([200, 100, 0, 255]);
    });

    test("a map without any spread does not break the picture", () => {
        expect(at([0.5, 0], { lows: [0.5, 0], highs: [0.5, 1] })).toEqual([80, 80, 80, 255]);
    });
});

test("segments: a concept's hue over a grey picture, and the background lets it through", () => {
    const target = new Uint8ClampedArray(8);
    const two = base([255, 0, 0, 255, 0, 0], 2, 1);
    const winners = Uint16Array.of(0, 1);
    paint.paintSegments(target, two, winners, { hues: [[0, 0, 200], null], opacity: 0.5 });
    // The hue over what blend fades: half red, half its grey (76), then half of the hue.
    expect(difference(target, [83, 19, 119, 255, 166, 38, 38, 255])).toBeLessThanOrEqual(1);
    paint.paintSegments(target, two, winners, { hues: [[0, 0, 200], null], opacity: 1 });
    expect([...target]).toEqual([0, 0, 200, 255, 76, 76, 76, 255]);
});

test("an outline is the region's own border, not that of the picture", () => {
    const [width, height] = [5, 4];
    // prettier-ignore
    const winners = Uint16Array.of(
        1, 1, 1, 0, 0,
        1, 1, 1, 0, 0,
        1, 1, 1, 0, 0,
        0, 0, 0, 0, 0,
    );
    const target = new Uint8ClampedArray(width * height * 4).fill(7);
    paint.outline(target, width, height, winners, 1);
    // prettier-ignore
    expect(opacities(target).map((opacity) => opacity / 255)).toEqual([
        0, 0, 1, 0, 0,
        0, 0, 1, 0, 0,
        1, 1, 1, 0, 0,
        0, 0, 0, 0, 0,
    ]);
});

test("an outline stays in the columns that show its run", () => {
    const winners = new Uint16Array(12).fill(1);
    winners.set([0, 0, 0, 0], 0);
    const target = new Uint8ClampedArray(12 * 4);
    paint.outline(target, 4, 3, winners, 1, { from: 2 });
    // prettier-ignore
    expect(opacities(target).map((opacity) => opacity / 255)).toEqual([
        0, 0, 0, 0,
        0, 0, 1, 1,
        0, 0, 0, 0,
    ]);
});

test("nothing is painted beside a picture of another shape", () => {
    const narrow = base(new Array(9).fill(200), 3, 1);
    narrow.rgba[3] = narrow.rgba[11] = 0;
    const target = new Uint8ClampedArray(12).fill(255);
    paint.clear(target, narrow, { to: 2 });
    expect(opacities(target)).toEqual([0, 255, 255]);
    paint.clear(target, narrow, {});
    expect(opacities(target)).toEqual([0, 255, 0]);
});
