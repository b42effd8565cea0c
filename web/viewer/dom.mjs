/** Small helpers to make elements. */

/**
 * An element with attributes and children; `on...` are listeners, `ca` names it for tests.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (name === "ca") element.dataset.ca = value;
        else if (value === true) element.setAttribute(name, "");
        else if (value !== false && value != null) element.setAttribute(name, String(value));
    }
    element.append(...children);
    return element;
}

/** Set a slider, and fill its rail up to there. @param {any} input @param {number} value */
export function slide(input, value) {
    const { min, max } = input;
    input.value = String(value);
    input.style.setProperty("--at", `${((value - min) / (max - min || 1)) * 100}%`);
}

/** Paths of a 16 x 16 drawing, as lines. @type {Record<string, string>} */
const DRAWINGS = {
    tune: "M2 4h7M13 4h1M2 8h1M7 8h7M2 12h6M12 12h2M9 2.5v3M13 2.5v3H9M3 6.5v3h4v-3zM8 10.5v3h4v-3z",
    more: "M3 8h.01M8 8h.01M13 8h.01",
    copy: "M5.5 5.5h8v8h-8zM10.5 5V2.5h-8v8H5",
    keep: "M4 2h8v12l-4-3-4 3z",
    compare: "M8 1.5v13M3 4h3v8H3zM10 4h3v8h-3z",
    runs: "M8 1.5v13M2 5l2-1v8M2.5 12h3M10.5 5.2c2.5-2.5 4.5.8 2.3 2.8L10.5 12h3.7",
    play: "M5 3l8 5-8 5z",
    pause: "M5 3v10M11 3v10",
    reset: "M3 3v4h4M3.5 10a5 5 0 1 0 1-5L3 7",
};

/** @param {string} name @returns {SVGElement} */
export function icon(name) {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    drawing.setAttribute("viewBox", "0 0 16 16");
    drawing.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", DRAWINGS[name]);
    drawing.append(path);
    return drawing;
}

/**
 * A button with a drawing or a text.
 * @param {string} ca @param {string} label @param {() => void} act @param {Node | string} [face]
 * @returns {any}
 */
export function button(ca, label, act, face = label) {
    return make("button", { type: "button", ca, title: label, "aria-label": label, onclick: act }, face);
}
