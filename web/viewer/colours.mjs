/** Colour tables, and a hue for every concept. */

export const NAMES = ["inferno", "viridis", "magma", "cividis", "turbo", "grey"];

/** @typedef {[number, number, number]} Colour red, green, blue in 0..255 */

/** @type {Promise<Record<string, Uint8Array>> | undefined} */
let loading;

/** The tables of core/colormaps.py: 256 colours of 3 bytes for each name. */
export function tables() {
    return (loading ??= load());
}

async function load() {
    const answer = await fetch(new URL("../data/colormaps.bin", import.meta.url));
    if (!answer.ok) throw new Error(`colormaps.bin: ${answer.status}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return Object.fromEntries(
        NAMES.map((name, i) => [name, bytes.subarray(i * 768, (i + 1) * 768)]),
    );
}

/** Okabe and Ito's colours, told apart by colour-blind eyes too; as core/hues.py. */
const OKABE_ITO = /** @type {Colour[]} */ ([
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [0, 114, 178],
    [213, 94, 0],
    [204, 121, 167],
]);
const GOLDEN = 0.618033988749895; // of a turn: each further hue falls into the widest gap
const LIGHTNESS = [0.75, 0.45, 0.6];
const SATURATION = 0.6;

/** A hue for each of n concepts. @param {number} n @returns {Colour[]} */
export function hues(n) {
    return Array.from({ length: n }, (_, i) => OKABE_ITO[i] ?? further(i - OKABE_ITO.length));
}

/** @param {number} i @returns {Colour} */
function further(i) {
    const hue = ((i * GOLDEN) % 1) * 12;
    const lightness = LIGHTNESS[i % 3];
    const reach = SATURATION * Math.min(lightness, 1 - lightness);
    const part = (/** @type {number} */ shift) => {
        const k = (shift + hue) % 12;
        return 255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
    };
    return [part(0), part(8), part(4)];
}

/** @param {Colour} colour */
export function css([red, green, blue]) {
    return `rgb(${red} ${green} ${blue})`;
}
