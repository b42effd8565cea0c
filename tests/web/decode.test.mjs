import { describe, expect, test } from "vitest";
import { Decoder } from "../../web/viewer/decode.mjs";
import { buffer, difference, halves, json } from "./data.mjs";

/** @type {any[]} */
const CASES = json("cases.json");

describe("what core.decode makes of the same arrays", () => {
    test.each(CASES.map((each, i) => ({ name: `${each.file} ${i}`, ...each })))(
        "$name",
        ({ bundle, file, selection, expected }) => {
            const decoder = new Decoder(bundle, buffer(file));
            expect(difference(decoder.maps(selection), expected)).toBeLessThan(1e-5);
        },
    );

    test("one decoder gives the same in any order of choices", () => {
        for (const file of new Set(CASES.map((each) => each.file))) {
            const own = CASES.filter((each) => each.file === file);
            const decoder = new Decoder(own[0].bundle, buffer(file));
            for (const { selection, expected } of [...own, ...own.toReversed()]) {
                expect(difference(decoder.maps(selection), expected)).toBeLessThan(1e-5);
            }
        }
    });
});

/** @param {string} order @param {number} [temperature] */
function shape(order, temperature = 1) {
    return {
        kind: /** @type {const} */ ("scores"),
        grid: /** @type {[number, number]} */ ([1, 2]),
        labels: ["dragon", "background"],
        layers: [[0], [1]],
        steps: [0],
        auto: { temperature, order },
    };
}

// One step, two layers, two concepts, two places.
const SCORES = halves([0, -2, -1, 0, 0, 0, -3, -0.5]);
const both = { layers: [0, 1], steps: [0], temperature: 1, smoothing: 0 };
/** The share of the first of two. @param {number} a @param {number} b */
const share = (a, b) => 1 / (1 + Math.exp(b - a));

describe("two concepts, by hand", () => {
    test("softmax first is the mean of shares", () => {
        const [left, right] = [
            (share(0, -1) + share(0, -3)) / 2,
            (share(-2, 0) + share(0, -0.5)) / 2,
        ];
        const found = new Decoder(shape("softmax first"), SCORES).maps(both);
        expect(difference(found, [left, right, 1 - left, 1 - right])).toBeLessThan(1e-7);
    });

    test("scores first is the share of means", () => {
        const [left, right] = [share(0, -2), share(-1, -0.25)];
        const found = new Decoder(shape("scores first"), SCORES).maps(both);
        expect(difference(found, [left, right, 1 - left, 1 - right])).toBeLessThan(1e-7);
    });

    test.each(["softmax first", "scores first"])("%s: one layer alone", (order) => {
        const found = new Decoder(shape(order), SCORES).maps({ ...both, layers: [1] });
        const [left, right] = [share(0, -3), share(0, -0.5)];
        expect(difference(found, [left, right, 1 - left, 1 - right])).toBeLessThan(1e-7);
    });

    test("a temperature is in the family's own units", () => {
        const choice = { ...both, layers: [0], temperature: 500 };
        const found = new Decoder(shape("scores first", 1000), SCORES).maps(choice);
        const [left, right] = [share(0, -2), share(-4, 0)]; // half of the usual: twice as sharp
        expect(difference(found, [left, right, 1 - left, 1 - right])).toBeLessThan(1e-7);
    });
});

test("shares sum to 1 at every place, and those that half precision clamps are 0", () => {
    const clamped = Uint16Array.from([0, 0, 0xfbff, 0xfbff, 0, 0, 0xfbff, 0xfbff]).buffer;
    const found = new Decoder(shape("softmax first"), clamped).maps(both);
    expect([...found]).toEqual([1, 1, 0, 0]);
});

describe("scores that are not finite", () => {
    const broken = halves([0, -2, -1, 0, 0, 0, -3, -0.5, NaN, 0, 0, 0, 0, -2, -1, 0]);
    const steps = { steps: [0, 1], total_steps: 2 };
    const second = { ...both, steps: [1] };

    test.each(["softmax first", "scores first"])("%s: are no map, and spoil no other", (order) => {
        const decoder = new Decoder({ ...shape(order), ...steps }, broken);
        const whole = new Decoder(shape(order), SCORES).maps(both);
        expect(() => decoder.maps(second)).toThrow("scores of layer 0 at step 1 are not finite");
        expect(() => decoder.maps({ ...both, steps: [0, 1] })).toThrow("not finite");
        expect(difference(decoder.maps(both), [...whole])).toBeLessThan(1e-7);
        const good = decoder.maps({ ...second, layers: [1] });
        const alone = new Decoder(shape(order), halves([0, -2, -1, 0, 0, -2, -1, 0])).maps({
            ...both,
            layers: [1],
        });
        expect(difference(good, [...alone])).toBeLessThan(1e-7);
    });
});

test("maps that are decoded already come as they are, and can be changed", () => {
    const made = { kind: /** @type {const} */ ("maps"), labels: ["rock"] };
    const decoder = new Decoder({ ...made, grid: [2, 1] }, halves([0.25, 1]));
    const first = decoder.maps(both);
    expect([...first]).toEqual([0.25, 1]);
    first[0] = 9;
    expect([...decoder.maps(both)]).toEqual([0.25, 1]);
    expect(() => decoder.auto).toThrow("decoded already");
});

describe("sums", () => {
    const withSums = 8 * 2 + 2 * 3 * 4 * 4; // before 0 to 1 steps and 0 to 2 layers

    test("are made when the same scores are asked for again, and a decoder says what it takes", () => {
        const decoder = new Decoder(shape("softmax first"), SCORES);
        expect(decoder.bytes).toBe(8 * 2);
        decoder.maps(both);
        expect(decoder.bytes).toBe(8 * 2);
        decoder.maps({ ...both, layers: [1] });
        expect(decoder.bytes).toBe(withSums);
        decoder.maps({ ...both, temperature: 2 });
        expect(decoder.bytes).toBe(8 * 2);
    });

    test("can be made ahead, once there was a wish", () => {
        const decoder = new Decoder(shape("softmax first"), SCORES);
        decoder.prepare();
        expect(decoder.bytes).toBe(8 * 2);
        decoder.maps(both);
        decoder.prepare();
        expect(decoder.bytes).toBe(withSums);
    });

    test.each(["softmax first", "scores first"])("%s: change no map", (order) => {
        for (const layers of [[0], [1], [0, 1]]) {
            const decoder = new Decoder(shape(order), SCORES);
            const direct = decoder.maps({ ...both, layers });
            decoder.prepare();
            expect(difference(decoder.maps({ ...both, layers }), [...direct])).toBeLessThan(1e-7);
        }
    });
});
