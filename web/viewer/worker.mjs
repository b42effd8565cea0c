/** Loads and decodes away from the page, so that a slider never waits for it. */
import { Decoder } from "./decode.mjs";

const LIMIT = 256 * 2 ** 20; // bytes of scores and sums that are kept

/** @type {Map<string, Promise<Decoder>>} by address, the one used last at the end */
const decoders = new Map();
/** @type {Map<string, number>} */
const sizes = new Map();

/** @param {string} url @param {import("./decode.mjs").Shape} shape */
async function load(url, shape) {
    const answer = await fetch(url);
    if (answer.status === 404) throw new Error("missing");
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return new Decoder(shape, await answer.arrayBuffer());
}

/** @param {string} url @param {import("./decode.mjs").Shape} shape */
function decoder(url, shape) {
    const found = decoders.get(url) ?? load(url, shape);
    decoders.delete(url);
    decoders.set(url, found);
    return found;
}

function makeRoom() {
    let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    for (const url of [...decoders.keys()].slice(0, -1)) {
        if (total <= LIMIT) return;
        total -= sizes.get(url) ?? 0;
        decoders.delete(url);
        sizes.delete(url);
    }
}

self.onmessage = async ({ data }) => {
    const { id, url, shape, choice } = data;
    try {
        const found = await decoder(url, shape);
        const maps = choice ? found.maps(choice) : null;
        sizes.set(url, found.bytes);
        makeRoom();
        self.postMessage({ id, maps }, { transfer: maps ? [maps.buffer] : [] });
    } catch (error) {
        decoders.delete(url);
        self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
};
