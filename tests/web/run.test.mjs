import { afterEach, describe, expect, test, vi } from "vitest";
import { Missing } from "../../web/viewer/client.mjs";
import { Run, whole } from "../../web/viewer/run.mjs";
import { START } from "../../web/viewer/state.mjs";

/** @param {object} [change] */
function run(change) {
    const bundle = {
        kind: "scores",
        files: { subfolder: "concept_attention/9f", type: "temp" },
        batch: 2,
        spans: [1, 4, 4],
        pictures: 18,
        size: [44, 80],
        grid: [3, 5],
        covered: [1.25, 1],
        labels: ["dragon", "rock", "background"],
        background: [false, false, true],
        layers: [[0], [1]],
        steps: [0, 1, 2],
        chosen: { layers: [1], steps: [0, 1, 2], temperature: 1, smoothing: 0.5 },
        ...change,
    };
    return new Run(bundle, (file) => `/view?${new URLSearchParams(file)}`);
}

afterEach(() => vi.unstubAllGlobals());

describe("items", () => {
    test("are the batch items' frames, batch items one after the other", () => {
        expect([run().frames, run().count]).toEqual([9, 18]);
    });

    test("that share a frame of the token grid share its scores", () => {
        const numbers = Array.from({ length: 18 }, (_, item) => run().number(item));
        expect(numbers).toEqual([0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 4, 4, 5, 5, 5, 5]);
    });

    test("of single pictures are their own", () => {
        const stills = run({ spans: [1], batch: 3, pictures: 3 });
        expect([0, 1, 2].map((item) => stills.number(item))).toEqual([0, 1, 2]);
    });
});

test("the background is no map of its own, and the size is width and height", () => {
    expect(run().shownLabels).toEqual(["dragon", "rock"]);
    expect(run().size).toEqual({ width: 80, height: 44 });
    expect(run().grid).toEqual({ rows: 3, columns: 5, covered: [1.25, 1] });
});

test("a concept wins where it has more than the background", () => {
    expect(run().rivals).toEqual([2, 0, 1]);
});

test("the concept at first is the first that the node puts out", () => {
    expect(run().first).toBe("dragon");
    expect(run({ chosen: { concepts: ["rock"] } }).first).toBe("rock");
    expect(run({ chosen: { concepts: ["background"] } }).first).toBe("dragon");
});

test("choices made for other layers or steps say nothing of this run's", () => {
    const state = { ...START, layers: [0], steps: [0], temperature: 2, smoothing: 1 };
    expect(run().choice(state, run({ steps: [0, 1, 4] }))).toEqual({
        layers: [1],
        steps: [0, 1, 2],
        temperature: 1,
        smoothing: 1,
    });
    expect(run().choice(state, run()).layers).toEqual([0]);
    expect(run({ family: "sd3" }).layout).not.toBe(run().layout);
});

describe("the choice", () => {
    test("is the node's where a person has made none", () => {
        expect(run().choice(START)).toEqual({
            layers: [1],
            steps: [0, 1, 2],
            temperature: 1,
            smoothing: 0.5,
        });
    });

    test("is the person's where it fits what was captured", () => {
        const state = { ...START, layers: [0], steps: [0, 7], temperature: 2, smoothing: 0 };
        expect(run().choice(state)).toEqual({
            layers: [0],
            steps: [0, 1, 2], // there is no step at position 7
            temperature: 2,
            smoothing: 0,
        });
    });
});

describe("maps that come decoded", () => {
    const decoded = (/** @type {number[][]} */ value_range) => {
        const made = run({ kind: "maps", grid: [1, 2], labels: ["a", "b"], value_range });
        made.scores.maps = async () => Float32Array.of(0, 1, 0.5, 1);
        return made.maps(0, made.choice(START));
    };

    test("are the shares that their ends stand for", async () => {
        expect([...(await decoded([[0, 1]]))]).toEqual([0, 1, 0.5, 1]);
        expect([...(await decoded([[0, 0.5]]))]).toEqual([0, 0.5, 0.25, 0.5]);
    });

    test("have their own ends where each concept has", async () => {
        expect([...(await decoded([[0, 0.5], [0.25, 0.75]]))]).toEqual([0, 0.5, 0.5, 0.75]);
    });
});

describe("pictures", () => {
    /** @param {number} status */
    function served(status) {
        vi.stubGlobal("URL", {
            createObjectURL: () => "blob:",
            revokeObjectURL: () => undefined,
        });
        const decode = async () => undefined;
        vi.stubGlobal("Image", class { decode = decode; });
        const answer = { status, ok: status === 200, statusText: "Sorry", blob: async () => "" };
        const fetched = vi.fn(async () => answer);
        vi.stubGlobal("fetch", fetched);
        return fetched;
    }
    const address = (/** @type {string} */ number) =>
        `/view?filename=picture-${number}.png&subfolder=concept_attention%2F9f&type=temp`;

    test("are loaded once", async () => {
        const fetched = served(200);
        const made = run();
        await Promise.all([made.picture(17), made.picture(17)]);
        await made.picture(17);
        expect(fetched.mock.calls).toEqual([[address("00017")]]);
    });

    test("are one for all where there is one", async () => {
        const fetched = served(200);
        const made = run({ pictures: 1 });
        expect(await made.picture(5)).toBe(await made.picture(9));
        expect(fetched.mock.calls).toEqual([[address("00000")]]);
    });

    test("that are gone are missing, and asked for again the next time", async () => {
        const made = run();
        const gone = served(404);
        await expect(made.picture(0)).rejects.toBeInstanceOf(Missing);
        served(500);
        await expect(made.picture(0)).rejects.toThrow("500 Sorry");
        expect(gone).toHaveBeenCalledTimes(1);
    });

    test("are kept up to 64, the ones that were seen last", async () => {
        const fetched = served(200);
        const made = run({ spans: [70], batch: 1, pictures: 70 });
        for (let item = 0; item < 64; item++) await made.picture(item);
        await made.picture(0);
        await made.picture(64); // lets go of 1, which was seen longest ago
        await made.picture(0);
        expect(fetched).toHaveBeenCalledTimes(65);
        await made.picture(1);
        expect(fetched).toHaveBeenCalledTimes(66);
    });
});

describe("a bundle", () => {
    test("that is whole is not asked for", async () => {
        const bundle = { id: "9f" };
        expect(await whole(bundle, () => "")).toBe(bundle);
    });

    test("that was too large is in a file", async () => {
        const answer = { status: 200, ok: true, json: async () => ({ id: "whole" }) };
        const fetched = vi.fn(async () => answer);
        vi.stubGlobal("fetch", fetched);
        const files = { subfolder: "s", type: "temp" };
        const found = await whole({ more: "bundle.json", files }, (file) => JSON.stringify(file));
        expect(found).toEqual({ id: "whole" });
        expect(fetched).toHaveBeenCalledWith(JSON.stringify({ filename: "bundle.json", ...files }));
    });

    test("whose file is gone is missing", async () => {
        vi.stubGlobal("fetch", async () => ({ status: 404, ok: false }));
        await expect(whole({ more: "bundle.json" }, () => "")).rejects.toBeInstanceOf(Missing);
    });
});
