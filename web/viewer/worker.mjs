/** Loads and decodes away from the page, so that a slider never waits for it. */
import { Decoder } from "./decode.mjs";

const LIMIT = 256 * 2 ** 20; // bytes of scores and sums that are kept
const IDLE = 150; // milliseconds without a wish after which sums are made for the next one

/**
 * @typedef {object} Entry
 * @property {Promise<Decoder>} decoder
 * @property {number} bytes that it takes; 0 while it loads
 */

/** @type {Map<string, Entry>} by address, the one used last at the end */
const entries = new Map();

/** @param {string} url @param {import("./decode.mjs").Shape} shape */
async function load(url, shape) {
    // Kept here already; to keep it in the browser's store too takes as long as to load it.
    const answer = await fetch(url, { cache: "no-store" });
    if (answer.status === 404) throw new Error("missing");
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return new Decoder(shape, await answer.arrayBuffer());
}

/** @param {string} url @param {import("./decode.mjs").Shape} shape @returns {Entry} */
function entryOf(url, shape) {
    const found = entries.get(url) ?? { decoder: load(url, shape), bytes: 0 };
    entries.delete(url);
    entries.set(url, found);
    return found;
}

function makeRoom() {
    let total = [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [url, { bytes }] of [...entries].slice(0, -1)) {
        if (total <= LIMIT) return;
        total -= bytes;
        entries.delete(url);
    }
}

let idle = 0;

/** @param {Entry} entry @param {Decoder} decoder */
function whenIdle(entry, decoder) {
    clearTimeout(idle);
    idle = Number(
        setTimeout(() => {
            decoder.prepare();
            entry.bytes = decoder.bytes;
            makeRoom();
        }, IDLE),
    );
}

self.onmessage = async ({ data }) => {
    const { id, url, shape, choice } = data;
    const entry = entryOf(url, shape);
    try {
        const found = await entry.decoder;
        const maps = choice ? found.maps(choice) : null;
        entry.bytes = found.bytes;
        makeRoom();
        self.postMessage({ id, maps }, { transfer: maps ? [maps.buffer] : [] });
        if (choice) whenIdle(entry, found);
    } catch (error) {
        if (entries.get(url) === entry) entries.delete(url);
        self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
};
