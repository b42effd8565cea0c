/** A result's text, and the room that it needs. */

const LINE = 17; // pixels
const AROUND = 14; // pixels above and below all lines, with the frame
const MOST = 6; // lines; more of them are scrolled
const SIDES = 44; // pixels of the node beside its text
const LETTER = 6.6; // pixels of a letter, on average
const WIDE = /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]/gu;

/** The text of what a run says for a node; undefined if it says none. @param {any} said */
export function textOf(said) {
    const text = said?.text;
    if (Array.isArray(text)) return text.join("\n");
    return typeof text === "string" ? text : undefined;
}

/** How many lines a text takes on a node. @param {string} text @param {number} width in pixels */
export function linesOf(text, width) {
    const columns = Math.max(1, Math.floor((width - SIDES) / LETTER));
    const needed = (/** @type {string} */ line) => line.length + (line.match(WIDE)?.length ?? 0);
    const lines = text.split("\n").map((line) => Math.max(1, Math.ceil(needed(line) / columns)));
    return lines.reduce((sum, each) => sum + each, 0);
}

/**
 * The least and the most height that a text on a node should have, in pixels.
 * @param {string} text @param {number} width of the node, in pixels
 * @returns {{least: number, most: number}}
 */
export function heights(text, width) {
    const lines = linesOf(text, width);
    const least = Math.min(lines, MOST) * LINE + AROUND;
    return { least, most: lines > MOST ? Infinity : least };
}
