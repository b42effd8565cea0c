import { describe, expect, test } from "vitest";
import { focusMoved, kept, restored, shown, START, togglePin } from "../../web/viewer/state.mjs";

describe("what is kept with the workflow", () => {
    test("is what differs from the start", () => {
        expect(kept(START)).toEqual({});
        const state = { ...START, opacity: 0.5, pinned: ["dragon"], layers: [1, 2] };
        expect(kept(state)).toEqual({ opacity: 0.5, pinned: ["dragon"], layers: [1, 2] });
    });

    test("comes back the same", () => {
        /** @type {import("../../web/viewer/state.mjs").State} */
        const state = {
            ...START,
            mode: "segments",
            focus: "rock",
            pinned: ["rock", "岩石"],
            opacity: 0,
            colormap: "viridis",
            scale: "shared",
            threshold: 0.25,
            smoothing: 1.5,
            temperature: 500,
            layers: [0, 2],
            steps: [1],
            nearest: true,
            compare: "picture",
            split: 1,
            item: 3,
            speed: 24,
            controls: true,
        };
        expect(restored(JSON.parse(JSON.stringify(kept(state))))).toEqual(state);
    });

    test("has no moment of looking at the plain picture", () => {
        expect(kept({ ...START, plain: true })).toEqual({});
    });
});

describe("a workflow of someone else", () => {
    test("without anything kept is the start", () => {
        for (const nothing of [undefined, null, {}]) expect(restored(nothing)).toEqual(START);
    });

    /** @type {[string, any][]} */
    const bad = [
        ["mode", "rainbow"],
        ["scale", null],
        ["opacity", 1.5],
        ["opacity", null],
        ["split", -0.1],
        ["threshold", "much"],
        ["layers", []],
        ["layers", [0.5]],
        ["layers", "all"],
        ["steps", [-1]],
        ["split", "0.25"],
        ["pinned", [1]],
        ["pinned", "dragon"],
        ["focus", 7],
        ["colormap", 7],
        ["nearest", "yes"],
        ["controls", 1],
        ["speed", 9],
        ["item", -1],
        ["item", Infinity],
        ["item", 0.5],
        ["temperature", 0],
        ["temperature", "hot"],
        ["unknown", 1],
        ["constructor", 1],
    ];
    test.each(bad)("with %s as %s is the start there", (key, value) => {
        const found = restored({ [key]: value, opacity: key === "opacity" ? value : 0.25 });
        const opacity = key === "opacity" ? START.opacity : 0.25;
        expect(found).toEqual({ ...START, opacity });
    });

    test("looks as it was left, whatever a new viewer looks like", () => {
        expect(restored({ opacity: 0.25 })).toEqual({ ...START, opacity: 0.25 });
    });
});

describe("concepts", () => {
    const LABELS = ["dragon", "rock", "sky"];

    test("the first is shown until one is chosen", () => {
        expect(shown(START, LABELS, null)).toEqual(["dragon"]);
        expect(shown({ ...START, focus: "sky" }, LABELS, null)).toEqual(["sky"]);
        expect(shown(START, LABELS, null, "rock")).toEqual(["rock"]);
        expect(shown({ ...START, focus: "sky" }, LABELS, null, "rock")).toEqual(["sky"]);
    });

    test("pinned ones stay, and the one under the pointer comes before them", () => {
        const state = { ...START, focus: "sky", pinned: ["rock", "dragon"] };
        expect(shown(state, LABELS, null)).toEqual(["rock", "dragon"]);
        expect(shown(state, LABELS, "sky")).toEqual(["sky"]);
    });

    test("that this run does not have are not shown", () => {
        const state = { ...START, focus: "cat", pinned: ["cat", "rock"] };
        expect(shown(state, LABELS, "cat")).toEqual(["rock"]);
        expect(shown({ ...state, pinned: ["cat"] }, LABELS, null)).toEqual(["dragon"]);
    });

    test("pins are added and let go of one by one", () => {
        const once = togglePin(START, "rock");
        expect([once.pinned, once.focus]).toEqual([["rock"], "rock"]);
        const twice = togglePin(once, "sky");
        expect(twice.pinned).toEqual(["rock", "sky"]);
        expect(togglePin(twice, "rock").pinned).toEqual(["sky"]);
        expect(START.pinned).toEqual([]);
    });

    test("the focus goes around the ends", () => {
        expect(focusMoved(START, LABELS, 1).focus).toBe("rock");
        expect(focusMoved(START, LABELS, -1).focus).toBe("sky");
        expect(focusMoved({ ...START, focus: "sky" }, LABELS, 1).focus).toBe("dragon");
        expect(focusMoved({ ...START, focus: "cat" }, LABELS, 1).focus).toBe("rock");
        expect(focusMoved(START, [], 1)).toBe(START);
        expect(focusMoved(START, LABELS, 1, "rock").focus).toBe("sky");
    });

    test("a moving focus takes a single pin along, and leaves several", () => {
        expect(focusMoved({ ...START, pinned: ["rock"] }, LABELS, 1).pinned).toEqual([]);
        const several = { ...START, pinned: ["rock", "sky"] };
        expect(focusMoved(several, LABELS, 1).pinned).toEqual(["rock", "sky"]);
    });
});
