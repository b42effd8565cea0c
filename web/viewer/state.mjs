/** What a person has chosen in a viewer: plain data, kept with the node in the workflow. */

import { WHOLE, isView } from "./geometry.mjs";

/**
 * @typedef {object} State
 * @property {"heatmap" | "segments"} mode
 * @property {string | null} focus the concept whose map is shown; null: the first
 * @property {string[]} pinned concepts whose maps stay
 * @property {number} opacity 0..1
 * @property {string} colormap
 * @property {"none" | "shared" | "perConcept"} scale
 * @property {number | null} threshold in shares; null: as the node has it
 * @property {number | null} smoothing in tokens
 * @property {number | null} temperature
 * @property {number[] | null} layers positions
 * @property {number[] | null} steps positions
 * @property {boolean} nearest tokens as squares
 * @property {"off" | "picture" | "runs"} compare
 * @property {number} split 0..1
 * @property {number} item batch item or frame
 * @property {number} speed frames per second
 * @property {boolean} plain the picture alone
 * @property {boolean} controls whether they are open
 * @property {import("./geometry.mjs").View} view what part of the picture is seen
 */

/** @type {Readonly<State>} */
export const START = Object.freeze({
    mode: "heatmap",
    focus: null,
    pinned: [],
    opacity: 0.7,
    colormap: "inferno",
    scale: "none",
    threshold: null,
    smoothing: null,
    temperature: null,
    layers: null,
    steps: null,
    nearest: false,
    compare: "off",
    split: 0.5,
    item: 0,
    speed: 8,
    plain: false,
    controls: false,
    view: WHOLE,
});

const PASSING = ["plain"]; // not worth keeping

/**
 * A state from what a workflow kept; whatever does not fit is as at the start.
 * @param {any} kept @returns {State}
 */
export function restored(kept) {
    /** @type {Record<string, any>} */
    const state = { ...START };
    for (const [key, value] of Object.entries(kept ?? {})) {
        if (Object.hasOwn(START, key) && fits(key, value)) state[key] = value;
    }
    return /** @type {State} */ (state);
}

/**
 * What of a state is kept: all that differs from the start.
 * @param {State} state
 */
export function kept(state) {
    const start = /** @type {Record<string, any>} */ (START);
    return Object.fromEntries(
        Object.entries(state).filter(
            ([key, value]) =>
                !PASSING.includes(key) && JSON.stringify(start[key]) !== JSON.stringify(value),
        ),
    );
}

/** @type {Record<string, readonly any[]>} */
const ALLOWED = {
    mode: ["heatmap", "segments"],
    scale: ["none", "shared", "perConcept"],
    compare: ["off", "picture", "runs"],
    speed: [8, 16, 24],
};
const NULLABLE = ["focus", "threshold", "smoothing", "temperature", "layers", "steps"];
const SHARES = ["opacity", "split", "threshold"];

/** @param {string} key @param {any} value */
function fits(key, value) {
    if (key in ALLOWED) return ALLOWED[key].includes(value);
    if (value === null) return NULLABLE.includes(key);
    if (["layers", "steps"].includes(key)) return isList(value, isPosition) && value.length > 0;
    if (key === "pinned") return isList(value, isText);
    if (["focus", "colormap"].includes(key)) return isText(value);
    if (["nearest", "controls"].includes(key)) return typeof value === "boolean";
    if (key === "view") return isView(value);
    if (key === "item") return isPosition(value);
    if (!Number.isFinite(value)) return false;
    if (SHARES.includes(key)) return value >= 0 && value <= 1;
    return key === "temperature" ? value > 0 : value >= 0;
}

/** @param {any} value @param {(each: any) => boolean} test */
function isList(value, test) {
    return Array.isArray(value) && value.every(test);
}

/** @param {any} value */
function isPosition(value) {
    return Number.isInteger(value) && value >= 0;
}

/** @param {any} value */
function isText(value) {
    return typeof value === "string";
}

/** Pin a concept, or let go of it. @param {State} state @param {string} label */
export function togglePin(state, label) {
    const pinned = state.pinned.includes(label)
        ? state.pinned.filter((each) => each !== label)
        : [...state.pinned, label];
    return { ...state, pinned, focus: label };
}

/**
 * The concept before or after the one in focus, around the ends.
 * @param {State} state @param {string[]} labels @param {number} by
 * @param {string} [first] the one that is shown until another is chosen
 */
export function focusMoved(state, labels, by, first = labels[0]) {
    if (!labels.length) return state;
    const at = Math.max(0, labels.indexOf(state.focus ?? first));
    const focus = labels[(at + by + labels.length) % labels.length];
    return { ...state, focus, pinned: state.pinned.length > 1 ? state.pinned : [] };
}

/**
 * The concepts whose maps are shown.
 * @param {State} state @param {string[]} labels @param {string | null} hovered
 * @param {string} [first] the one that is shown until another is chosen
 */
export function shown(state, labels, hovered, first = labels[0]) {
    if (hovered !== null && labels.includes(hovered)) return [hovered];
    const pinned = state.pinned.filter((label) => labels.includes(label));
    if (pinned.length) return pinned;
    return [state.focus !== null && labels.includes(state.focus) ? state.focus : first];
}
