import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** A worker that answers when the test says so. */
class Fake {
    /** @type {Fake[]} */
    static all = [];
    /** @type {any[]} */
    asked = [];
    /** @type {(event: any) => void} */
    onmessage = () => undefined;
    /** @type {(event: any) => void} */
    onerror = () => undefined;
    ended = false;

    /** @param {URL} address @param {object} options */
    constructor(address, options) {
        this.address = String(address);
        this.options = options;
        Fake.all.push(this);
    }

    /** @param {any} message */
    postMessage(message) {
        this.asked.push(structuredClone(message));
    }

    terminate() {
        this.ended = true;
    }

    /** @param {number} index of what was asked @param {object} answer */
    answer(index, answer) {
        this.onmessage({ data: { id: this.asked[index].id, ...answer } });
    }
}

/** @type {typeof import("../../web/viewer/client.mjs")} */
let client;
const SHAPE = {
    kind: /** @type {const} */ ("scores"),
    grid: /** @type {[number, number]} */ ([1, 2]),
    labels: ["dragon"],
    layers: [[0]],
    steps: [0],
    auto: { temperature: 1, order: "softmax first" },
};
const CHOICE = { layers: [0], steps: [0], temperature: 1, smoothing: 0 };

beforeEach(async () => {
    Fake.all = [];
    vi.stubGlobal("Worker", Fake);
    vi.resetModules(); // the worker is one for all viewers of a page
    client = await import("../../web/viewer/client.mjs");
});
afterEach(() => vi.unstubAllGlobals());

const scores = () => new client.Scores(SHAPE, (number) => `/scores/${number}`);

test("all viewers share one module worker, which starts with the first wish", () => {
    const [one, other] = [scores(), scores()];
    expect(Fake.all).toEqual([]);
    void one.maps(0, CHOICE);
    void other.maps(1, CHOICE);
    expect(Fake.all.length).toBe(1);
    const [worker] = Fake.all;
    expect(worker.address).toMatch(/\/web\/viewer\/worker\.mjs$/);
    expect(worker.options).toEqual({ type: "module" });
    expect(worker.asked.map((each) => each.url)).toEqual(["/scores/0", "/scores/1"]);
    expect(worker.asked[0]).toMatchObject({ shape: SHAPE, choice: CHOICE });
});

test("every answer goes to the one who asked, in any order", async () => {
    const own = scores();
    const [first, second] = [own.maps(0, CHOICE), own.maps(1, CHOICE)];
    Fake.all[0].answer(1, { maps: Float32Array.of(2) });
    Fake.all[0].answer(0, { maps: Float32Array.of(1) });
    expect([...(await first), ...(await second)]).toEqual([1, 2]);
});

test("files that are gone are missing, another failure says what it is", async () => {
    const own = scores();
    const [gone, broken] = [own.maps(0, CHOICE), own.maps(1, CHOICE)];
    Fake.all[0].answer(0, { error: "missing" });
    Fake.all[0].answer(1, { error: "500 Sorry" });
    await expect(gone).rejects.toBeInstanceOf(client.Missing);
    await expect(broken).rejects.toThrow("500 Sorry");
});

test("loading ahead asks for no maps and keeps its failures to itself", async () => {
    const ahead = scores().prefetch(3);
    expect(Fake.all[0].asked[0].url).toBe("/scores/3");
    expect(Fake.all[0].asked[0].choice).toBeUndefined();
    Fake.all[0].answer(0, { error: "missing" });
    await expect(ahead).resolves.toBeUndefined();
});

test("what the worker is told can be sent to it, whatever else a bundle has", () => {
    const bundle = { ...SHAPE, id: "9f", address: () => "" };
    void new client.Scores(bundle, () => "/scores").maps(0, CHOICE);
    expect(Fake.all[0].asked[0].shape).toEqual(SHAPE);
});

test("a worker that does not start fails every wish, and the next has a new one", async () => {
    const own = scores();
    const [first, second] = [own.maps(0, CHOICE), own.maps(1, CHOICE)];
    Fake.all[0].onerror({});
    await expect(first).rejects.toThrow("did not start");
    await expect(second).rejects.toThrow("did not start");
    expect(Fake.all[0].ended).toBe(true);
    const third = own.maps(0, CHOICE);
    expect(Fake.all.length).toBe(2);
    Fake.all[1].answer(0, { maps: Float32Array.of(1) });
    expect([...(await third)]).toEqual([1]);
});
