/** The page's side of the worker that decodes. */

/** A run whose files the server has let go of. */
export class Missing extends Error {}

/** @type {Worker | undefined} one for all viewers */
let worker;
/** @type {Map<number, {resolve: (maps: any) => void, reject: (error: Error) => void}>} */
const waiting = new Map();
let last = 0;

function shared() {
    if (worker) return worker;
    worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => {
        const asked = waiting.get(data.id);
        waiting.delete(data.id);
        if (data.error === "missing") asked?.reject(new Missing());
        else if (data.error) asked?.reject(new Error(data.error));
        else asked?.resolve(data.maps);
    };
    worker.onerror = (event) => {
        const failure = new Error(event.message || "the decoder did not start");
        for (const asked of waiting.values()) asked.reject(failure);
        waiting.clear();
    };
    return worker;
}

/** @param {object} message @returns {Promise<any>} */
function ask(message) {
    const id = ++last;
    return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        shared().postMessage({ id, ...message });
    });
}

/** The maps of one run, decoded as asked. */
export class Scores {
    /**
     * @param {import("./decode.mjs").Shape} shape
     * @param {(number: number) => string} urlOf the address of a batch item's and frame's scores
     */
    constructor(shape, urlOf) {
        this.shape = plain(shape);
        this.urlOf = urlOf;
    }

    /**
     * @param {number} number of the batch item and frame
     * @param {import("./decode.mjs").Choice} choice
     * @returns {Promise<Float32Array>} [C, rows, columns]
     */
    maps(number, choice) {
        return ask({ url: this.urlOf(number), shape: this.shape, choice });
    }

    /** Load what will be asked for. @param {number} number */
    async prefetch(number) {
        await ask({ url: this.urlOf(number), shape: this.shape }).catch(() => undefined);
    }
}

/** What the worker needs to know. @param {import("./decode.mjs").Shape} shape */
function plain({ kind, grid, labels, layers, steps, auto, value_range }) {
    return { kind, grid, labels, layers, steps, auto, value_range };
}
