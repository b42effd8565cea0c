/** The buttons above the picture, and the menu behind the last of them. */
import { button, icon, make } from "./dom.mjs";

/**
 * @typedef {object} Acts
 * @property {(change: Partial<import("./state.mjs").State>) => void} change
 * @property {() => void} keep
 * @property {(what: "copy" | "save" | "open" | "download") => void} send
 */

export class Toolbar {
    /** @param {import("../strings.mjs").Words} words @param {Acts} acts */
    constructor(words, acts) {
        this.words = words;
        const { change } = acts;
        this.modes = ["heatmap", "segments"].map((mode) => {
            const act = () => change({ mode: /** @type {"heatmap" | "segments"} */ (mode) });
            const made = button(`mode-${mode}`, words(`${mode}Hint`), act, words(mode));
            made.removeAttribute("aria-label");
            return made;
        });
        this.picture = this.comparing("picture", "comparePicture", "compare", change);
        this.runs = this.comparing("runs", "compareRuns", "runs", change);
        this.keep = button("keep", words("keep"), acts.keep, icon("keep"));
        this.tune = button("tune", words("controls"), () => this.toggled(change), icon("tune"));
        this.more = button("more", words("more"), () => this.open(this.menu.hidden), icon("more"));
        this.more.setAttribute("aria-haspopup", "menu");
        this.menu = make("div", { class: "menu", role: "menu", ca: "menu" });
        for (const what of /** @type {const} */ (["copy", "save", "open", "download"])) {
            const entry = button(what, words(what), () => {
                this.open(false);
                acts.send(what);
            });
            entry.setAttribute("role", "menuitem");
            this.menu.append(entry);
        }
        this.menu.hidden = true;
        this.menu.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
            const next = /** @type {Node | null} */ (event.relatedTarget);
            if (next !== this.more && !this.menu.contains(next)) this.open(false);
        });
        const icons = [this.picture, this.runs, this.keep, this.tune, this.more];
        for (const each of icons) each.classList.add("icon");
        const group = make("div", { class: "group", role: "group" }, ...this.modes);
        const space = make("span", { class: "space" });
        this.element = make("div", { class: "bar top" }, group, space, ...icons);
    }

    /** @param {"picture" | "runs"} compare @param {string} key @param {string} drawing
     * @param {Acts["change"]} change */
    comparing(compare, key, drawing, change) {
        const act = () => change({ compare: this.state?.compare === compare ? "off" : compare });
        return button(`compare-${compare}`, this.words(key), act, icon(drawing));
    }

    /** @param {Acts["change"]} change */
    toggled(change) {
        change({ controls: !this.state?.controls });
    }

    /** @param {boolean} open */
    open(open) {
        this.menu.hidden = !open;
        this.more.setAttribute("aria-expanded", String(open));
        if (open) this.menu.firstChild.focus();
    }

    /** @param {import("./state.mjs").State} state @param {{other: boolean, kept: boolean}} has */
    update(state, { other, kept }) {
        this.state = state;
        this.modes[0].setAttribute("aria-pressed", String(state.mode === "heatmap"));
        this.modes[1].setAttribute("aria-pressed", String(state.mode === "segments"));
        this.picture.setAttribute("aria-pressed", String(state.compare === "picture"));
        this.runs.setAttribute("aria-pressed", String(state.compare === "runs"));
        this.runs.hidden = !other;
        this.keep.setAttribute("aria-pressed", String(kept));
        this.keep.title = this.words(kept ? "drop" : "keep");
        this.keep.setAttribute("aria-label", this.keep.title);
        this.tune.setAttribute("aria-expanded", String(state.controls));
    }
}
