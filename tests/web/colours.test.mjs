import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { difference, json, shipped } from "./data.mjs";

/** @type {typeof import("../../web/viewer/colours.mjs")} */
let colours;

beforeEach(async () => {
    vi.resetModules(); // the tables are loaded once
    colours = await import("../../web/viewer/colours.mjs");
});
afterEach(() => vi.unstubAllGlobals());

test("hues are those of core/hues.py", () => {
    const found = colours.hues(24);
    expect(difference(found.flat(), json("hues.json").flat())).toBeLessThan(0.01);
});

test("a concept keeps its hue when there are more", () => {
    expect(colours.hues(3)).toEqual(colours.hues(12).slice(0, 3));
    expect(new Set(colours.hues(40).map(colours.css)).size).toBe(40);
    expect(colours.css(colours.hues(1)[0])).toBe("rgb(230 159 0)");
});

test("the tables are loaded once, from beside the modules", async () => {
    const fetched = vi.fn(async () => new Response(shipped("web/data/colormaps.bin")));
    vi.stubGlobal("fetch", fetched);
    const [tables, again] = await Promise.all([colours.tables(), colours.tables()]);
    expect(again).toBe(tables);
    expect(fetched).toHaveBeenCalledTimes(1);
    const [address] = /** @type {any[]} */ (fetched.mock.calls[0]);
    expect(String(address)).toMatch(/\/web\/data\/colormaps\.bin$/);
    expect(Object.keys(tables)).toEqual(colours.NAMES);
    // As matplotlib publishes them.
    expect([...tables.inferno.subarray(128 * 3, 129 * 3)]).toEqual([188, 55, 84]);
    expect([...tables.viridis.subarray(765)]).toEqual([253, 231, 37]);
    expect([...tables.grey.subarray(127 * 3, 128 * 3)]).toEqual([127, 127, 127]);
});

test("tables that are not there are an error that says so", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 503 }));
    await expect(colours.tables()).rejects.toThrow("colormaps.bin: 503");
});
