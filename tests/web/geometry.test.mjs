import { describe, expect, test } from "vitest";
import { moved, place, pointAt, seen, WHOLE, zoomed, contained } from "../../web/viewer/geometry.mjs";

const STAGE = { width: 400, height: 200 };
const PICTURE = { width: 100, height: 100 };

test("the whole picture lies in the middle of the stage, as large as it can", () => {
    expect(place(WHOLE, STAGE, PICTURE)).toEqual({ x: 100, y: 0, width: 200, height: 200 });
    const wide = { width: 800, height: 200 };
    expect(place(WHOLE, STAGE, wide)).toEqual({ x: 0, y: 50, width: 400, height: 100 });
});

test("what is seen is the part of the picture on the stage", () => {
    const size = { width: 200, height: 200 };
    const whole = seen(place(WHOLE, STAGE, PICTURE), STAGE);
    expect(whole).toEqual({ x: 100, y: 0, ...size, u0: 0, v0: 0, u1: 1, v1: 1 });
    const near = seen({ x: -200, y: -100, width: 400, height: 400 }, STAGE);
    expect(near).toEqual({ x: 0, y: 0, ...size, u0: 0.5, v0: 0.25, u1: 1, v1: 0.75 });
});

test("a point of the stage is one of the picture, or none beside it", () => {
    const rect = place(WHOLE, STAGE, PICTURE);
    expect(pointAt(rect, 100, 0)).toEqual({ u: 0, v: 0 });
    expect(pointAt(rect, 250, 50)).toEqual({ u: 0.75, v: 0.25 });
    expect(pointAt(rect, 99, 50)).toBeNull();
    expect(pointAt(rect, 300, 50)).toBeNull();
    expect(pointAt(rect, 200, 200)).toBeNull();
});

describe("zooming", () => {
    /** @param {number} x @param {number} y
     * @param {import("../../web/viewer/geometry.mjs").View} view */
    const under = (x, y, view) => pointAt(place(view, STAGE, PICTURE), x, y);

    test("what is under the pointer stays there", () => {
        let view = zoomed(WHOLE, 4, 200, 100, STAGE, PICTURE);
        expect(view).toEqual({ zoom: 4, u: 0.5, v: 0.5 });
        const before = under(230, 60, view);
        view = zoomed(view, 1.5, 230, 60, STAGE, PICTURE);
        const after = under(230, 60, view);
        expect(view.zoom).toBe(6);
        expect(after?.u).toBeCloseTo(Number(before?.u), 12);
        expect(after?.v).toBeCloseTo(Number(before?.v), 12);
    });

    test("it ends at the whole picture and at sixteen times", () => {
        expect(zoomed({ zoom: 2, u: 0.3, v: 0.4 }, 0.1, 5, 5, STAGE, PICTURE)).toEqual(WHOLE);
        expect(zoomed(WHOLE, 1000, 200, 100, STAGE, PICTURE).zoom).toBe(16);
    });

    test("at the border the picture still fills the stage", () => {
        const view = zoomed(WHOLE, 4, 100, 0, STAGE, PICTURE); // the upper left corner
        const rect = place(view, STAGE, PICTURE);
        expect(rect.x).toBeLessThanOrEqual(0);
        expect(rect.y).toBeLessThanOrEqual(0);
        expect(rect.x + rect.width).toBeGreaterThanOrEqual(STAGE.width);
    });
});

describe("dragging", () => {
    test("moves the picture by the pixels of the drag", () => {
        const view = { zoom: 4, u: 0.5, v: 0.5 };
        const to = moved(view, 80, -40, STAGE, PICTURE);
        const [before, after] = [view, to].map((each) => place(each, STAGE, PICTURE));
        expect(after.x - before.x).toBeCloseTo(80, 9);
        expect(after.y - before.y).toBeCloseTo(-40, 9);
    });

    test("ends where the picture ends", () => {
        const rect = place(
            moved({ zoom: 4, u: 0.5, v: 0.5 }, 1e6, 1e6, STAGE, PICTURE),
            STAGE,
            PICTURE,
        );
        expect([rect.x, rect.y]).toEqual([0, 0]);
    });

    test("does nothing while all of the picture is seen", () => {
        expect(moved(WHOLE, 50, 50, STAGE, PICTURE)).toEqual(WHOLE);
    });

    test("goes along the one side that is longer than the stage", () => {
        // At zoom 1.5 the picture is 300 x 300: narrower than the stage, taller than it.
        const to = moved({ zoom: 1.5, u: 0.5, v: 0.5 }, 30, 30, STAGE, PICTURE);
        expect(to.u).toBe(0.5);
        expect(to.v).toBeCloseTo(0.4, 12);
    });
});

describe("a picture in another one's place", () => {
    test("of the same shape fills it, whatever its size", () => {
        expect(contained({ width: 20, height: 10 }, { width: 1000, height: 501 })).toBeNull();
    });

    test("lies in the middle, whole", () => {
        const wide = contained({ width: 20, height: 10 }, { width: 30, height: 30 });
        expect(wide).toEqual({ x: 0, y: 0.25, width: 1, height: 0.5 });
        const tall = contained({ width: 10, height: 10 }, { width: 40, height: 10 });
        expect(tall).toEqual({ x: 0.375, y: 0, width: 0.25, height: 1 });
    });
});
