/** One row for each concept: its colour, its bar and its number; the background below them. */
import { css } from "./colours.mjs";
import { make } from "./dom.mjs";

/**
 * @typedef {object} Acts
 * @property {(label: string) => void} pin
 * @property {(label: string | null) => void} hover
 */

export class Legend {
    /** @param {import("../strings.mjs").Words} words @param {Acts} acts */
    constructor(words, acts) {
        this.words = words;
        this.acts = acts;
        this.element = make("div", { class: "legend", ca: "legend", role: "group" });
        /** @type {any[]} one for each concept, the background's included */
        this.rows = [];
        this.made = "";
    }

    /**
     * @param {import("./run.mjs").Run} run @param {Map<string, import("./colours.mjs").Colour>} hues
     */
    list(run, hues) {
        const key = JSON.stringify([run.labels, run.bundle.background]);
        if (key === this.made) return;
        this.made = key;
        this.rows = run.labels.map((label, i) =>
            this.row(label, hues.get(label) ?? [128, 128, 128], run.bundle.background[i], run.bundle.splits[i]),
        );
        this.element.replaceChildren(...this.rows);
    }

    /**
     * @param {string} label @param {import("./colours.mjs").Colour} hue
     * @param {boolean} background @param {string} [split]
     */
    row(label, hue, background, split) {
        const parts = ["swatch", "name", "track", "number"].map((each) =>
            make("span", { class: each }),
        );
        parts[1].textContent = background ? `${label} (${this.words("background")})` : label;
        if (background && label === "background") parts[1].textContent = this.words("background");
        parts[2].append(make("div", { class: "fill" }));
        const attributes = { class: "row", ca: "row", "data-label": label, title: split ? `${label}: ${split}` : label };
        if (background) return make("div", attributes, ...parts);
        const row = make("button", { ...attributes, type: "button" }, ...parts);
        row.style.setProperty("--hue", css(hue));
        row.addEventListener("click", () => this.acts.pin(label));
        for (const [event, value] of [["pointerenter", label], ["focus", label], ["pointerleave", null], ["blur", null]]) {
            row.addEventListener(event, () => this.acts.hover(value));
        }
        return row;
    }

    /** The row that has the keyboard, if one has. @returns {any} */
    get focused() {
        return this.rows.find((row) => row.localName === "button" && row.matches(":focus"));
    }

    /** Give the keyboard to the row before or after. @param {number} by */
    step(by) {
        const rows = this.rows.filter((row) => row.localName === "button");
        rows[(rows.indexOf(this.focused) + by + rows.length) % rows.length].focus();
    }

    /**
     * The numbers, and which concepts are shown.
     * @param {(number | null)[]} values 0..1; null for a concept that this run does not have
     * @param {{shown: string[], pinned: string[], winner: number | null}} now winner: of the place
     *   under the pointer; rows are then sorted, the strongest first
     */
    update(values, { shown, pinned, winner }) {
        const order = values.map((_, i) => i);
        const known = values.map((value) => value ?? -1);
        if (winner !== null) order.sort((a, b) => known[b] - known[a]);
        order.forEach((i, at) => (this.rows[i].style.order = winner === null ? "" : String(at)));
        this.rows.forEach((row, i) => {
            const label = row.dataset.label;
            const value = values[i];
            const share = value === null ? "–" : percent(value);
            row.dataset.value = value?.toFixed(4) ?? "";
            row.querySelector(".fill").style.transform = `scaleX(${Math.min(1, value ?? 0)})`;
            row.querySelector(".number").textContent = value === null ? share : `${share} %`;
            row.classList.toggle("wins", i === winner);
            row.classList.toggle("shown", shown.includes(label));
            if (row.localName !== "button") return;
            row.setAttribute("aria-pressed", String(pinned.includes(label)));
            row.setAttribute("aria-label", this.words("pin", { concept: label, share }));
        });
    }
}

/** A share as a number that a person reads: 0.2, 7.4, 83. @param {number} share */
export function percent(share) {
    const hundred = share * 100;
    return hundred >= 9.95 ? hundred.toFixed(0) : hundred.toFixed(1);
}
