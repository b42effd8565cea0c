import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { halves } from "./data.mjs";

const SHAPE = { kind: "maps", grid: [1, 2], labels: ["dragon"] };
const CHOICE = { layers: [], steps: [], temperature: 1, smoothing: 0 };

/** @type {any} the worker's own global */
let own;
/** @type {((message: any) => void)} */
let posted;

beforeEach(start);
afterEach(() => vi.unstubAllGlobals());

async function start() {
    own = { postMessage: (/** @type {any} */ message) => posted(message) };
    vi.stubGlobal("self", own);
    vi.resetModules();
    await import("../../web/viewer/worker.mjs");
}

/** What the worker answers. @param {object} message @returns {Promise<any>} */
async function ask(message) {
    const answer = new Promise((resolve) => (posted = resolve));
    await own.onmessage({ data: { id: 7, shape: SHAPE, choice: CHOICE, ...message } });
    return answer;
}

/** @param {(url: string) => any} content of a file, or its status */
function serve(content) {
    const fetched = vi.fn(async (/** @type {string} */ url) => {
        const found = content(url);
        return typeof found === "number"
            ? new Response("", { status: found, statusText: "Sorry" })
            : { status: 200, ok: true, arrayBuffer: async () => found };
    });
    vi.stubGlobal("fetch", fetched);
    return fetched;
}

test("a file is loaded once and decoded as often as asked", async () => {
    const fetched = serve(() => halves([0.25, 1]));
    for (let i = 0; i < 2; i++) {
        const { id, maps, error } = await ask({ url: "/a" });
        expect([id, ...maps, error]).toEqual([7, 0.25, 1, undefined]);
    }
    expect(fetched.mock.calls).toEqual([["/a", { cache: "no-store" }]]);
});

test("loading ahead decodes nothing", async () => {
    const fetched = serve(() => halves([0.25, 1]));
    expect(await ask({ url: "/a", choice: undefined })).toEqual({ id: 7, maps: null });
    await ask({ url: "/a" });
    expect(fetched).toHaveBeenCalledTimes(1);
});

describe("a failure", () => {
    test("of a file that is gone is told from others", async () => {
        serve(() => 404);
        expect(await ask({ url: "/a" })).toEqual({ id: 7, error: "missing" });
        serve(() => 503);
        expect(await ask({ url: "/a" })).toEqual({ id: 7, error: "503 Sorry" });
    });

    test("is not kept", async () => {
        serve(() => 404);
        await ask({ url: "/a" });
        serve(() => halves([0.5, 1]));
        expect([...(await ask({ url: "/a" })).maps]).toEqual([0.5, 1]);
    });
});

describe("memory", () => {
    /** A file that takes so many megabytes when it is read. @param {number} megabytes */
    const large = (megabytes) => ({ bytes: megabytes * 2 ** 20 });
    const ahead = { choice: undefined };

    // Decoders that only say how large they are: real ones of this size would take seconds.
    class Claimed {
        /** @param {object} _ @param {{bytes: number}} content */
        constructor(_, { bytes }) {
            this.bytes = bytes;
        }
    }
    beforeEach(async () => {
        vi.doMock("../../web/viewer/decode.mjs", () => ({ Decoder: Claimed }));
        await start();
    });
    afterEach(() => vi.doUnmock("../../web/viewer/decode.mjs"));

    test("up to 256 MB is kept, the files that were asked for last", async () => {
        const fetched = serve(() => large(100));
        for (const url of ["/a", "/b", "/a", "/c"]) await ask({ url, ...ahead });
        expect(fetched.mock.calls.map(([url]) => url)).toEqual(["/a", "/b", "/c"]);
        await ask({ url: "/a", ...ahead }); // was asked for after /b
        expect(fetched).toHaveBeenCalledTimes(3);
        await ask({ url: "/b", ...ahead });
        expect(fetched).toHaveBeenCalledTimes(4);
    });

    test("one file that is larger is kept alone", async () => {
        const fetched = serve((url) => large(url === "/large" ? 300 : 1));
        await ask({ url: "/a", ...ahead });
        await ask({ url: "/large", ...ahead });
        await ask({ url: "/large", ...ahead });
        expect(fetched).toHaveBeenCalledTimes(2);
    });

    test("what was let go of while it loaded does not count", async () => {
        /** @type {((content: object) => void)} */
        let finish = () => undefined;
        const slow = new Promise((resolve) => (finish = resolve));
        const fetched = serve((url) => (url === "/slow" ? slow : large(url === "/big" ? 300 : 50)));
        posted = () => undefined;
        const data = { id: 1, shape: SHAPE, ...ahead };
        const waiting = own.onmessage({ data: { ...data, url: "/slow" } });
        await ask({ url: "/big", ...ahead }); // leaves no room for /slow
        finish(large(250));
        await waiting;
        await ask({ url: "/a", ...ahead });
        await ask({ url: "/b", ...ahead });
        await ask({ url: "/a", ...ahead });
        expect(fetched.mock.calls.map(([url]) => url)).toEqual(["/slow", "/big", "/a", "/b"]);
    });
});
